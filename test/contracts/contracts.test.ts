import { describeAction } from '../../src/contracts/action';
import { describeAlertReceiver } from '../../src/contracts/alert-receiver';
import { describePolicyEvaluator } from '../../src/contracts/policy-evaluator';
import { createAlertReceivers } from '../../src/alerts/receivers/create-receivers';
import { createEvaluator } from '../../src/rego/evaluation/evaluator';
import { createHttpFetch } from '../../src/platform/http/http-client';
import { jestFramework } from '../support/jest-framework';
import { startScriptedSource } from '../support/scripted-source';

// The contracts of stores, objects and providers run beside the tests of each.

describePolicyEvaluator(jestFramework, 'the gate’s own threads', async () => {
  const evaluator = createEvaluator({ threads: 2 });
  return { evaluator, close: () => evaluator.close() };
});

for (const format of ['slack', 'alertmanager', 'alertmanager-api'] as const) {
  describeAlertReceiver(jestFramework, format, async () => {
    const server = await startScriptedSource();
    let isTaking = true;
    let taken = 0;
    server.script = (_, response) => {
      if (isTaking) taken += 1;
      response.writeHead(isTaking ? 200 : 400).end('ok');
    };
    const [receiver] = createAlertReceivers([{ format, url: server.url, timeout: '20s', tls: {} }], {
      fetchWith: () => createHttpFetch({ env: {}, folder: __dirname }),
      readSecret: async () => '',
    });
    return {
      receiver: receiver!,
      taken: () => taken,
      takes: async (now) => void (isTaking = now),
      close: () => server.close(),
    };
  });
}

describeAction(jestFramework, 'an action that keeps what it did by its key', async () => {
  const done = new Set<string>();
  return {
    options: {},
    action: {
      run: async ({ idempotencyKey, signal }) => {
        signal.throwIfAborted();
        done.add(idempotencyKey);
      },
      compensate: async ({ idempotencyKey }) => void done.delete(idempotencyKey.replace(/\/compensation$/, '')),
    },
    effects: async () => done.size,
    close: async () => undefined,
  };
});
