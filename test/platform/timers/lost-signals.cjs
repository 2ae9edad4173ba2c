// Run with --expose-gc by with-signal.test.ts: which signals of withSignal fire when no one else holds them and the garbage
// collector runs before. The process waits for nothing but the interval, as a worker does between two requests.
require('../../support/ts-require.cjs');
const { withSignal } = require('../../../src/platform/timers/with-signal.ts');

const fired = [];
const wait = (name) => (signal) =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => (fired.push(name), resolve()), { once: true });
  });

const source = new AbortController();
void withSignal({ timeoutMs: 100, signals: [source.signal] }, wait('time-out'));
void withSignal({ timeoutMs: 60_000, signals: [source.signal] }, wait('other signal'));

const startedMs = Date.now();
const collecting = setInterval(() => {
  global.gc();
  if (fired.length === 1) source.abort();
  if (fired.length < 2 && Date.now() - startedMs < 60_000) return;
  clearInterval(collecting);
  process.stdout.write(JSON.stringify(fired));
}, 20);
