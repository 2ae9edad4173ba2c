import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createGate } from 'planning-engine';
import { mayGoOn } from './decide';

/**
 * `npm start -- --config settings.json [--stage canary] [--every 2000]`: decides again and again until Ctrl-C. A release that
 * is published meanwhile is in force from the next decision on; a decision finishes under the one that it began with.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      stage: { type: 'string', default: 'canary' },
      every: { type: 'string', default: '2000' },
    },
  });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const gate = await createGate(values.config);
  try {
    for (let turn = 1; !stop.signal.aborted; turn += 1) {
      await mayGoOn(gate, `library-${turn}`, values.stage);
      await sleep(Number(values.every), undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    await gate.close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
