import { openSpool } from '../../src/audit/copies/spool';

// A worker's stand-in: keeps texts without end, saying each id once it is durable.
async function main(folder: string) {
  const spool = await openSpool(folder, 1_000_000_000);
  for (let i = 0; ; i += 1) {
    await spool.append(JSON.stringify({ id: `e-${i}`, blob: 'x'.repeat(50_000) }));
    process.stdout.write(`e-${i}\n`);
  }
}

void main(process.argv[2]!);
