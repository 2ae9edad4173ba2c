// `node scripts/busy.mjs 2 -- npm test`: runs a command beside 2 busy loops, to see that nothing in it depends on how fast
// the machine is. Ends with the command's exit code, and the loops end with it.
import { spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';

const [count, separator, command, ...args] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(count ?? '') || separator !== '--' || command === undefined) {
  console.error('Usage: node scripts/busy.mjs LOOPS -- COMMAND [ARGUMENT…]');
  process.exit(2);
}
// Threads of this process: they end with it, however it ends.
for (let loop = 0; loop < Number(count); loop += 1) new Worker('for (;;);', { eval: true });

const child = spawn(command, args, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('error', ({ message }) => {
  console.error(message);
  process.exit(2);
});
child.on('exit', (code) => process.exit(code ?? 1));
