import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeAction } from '../../src/contracts/action';
import { describeConditionType } from '../../src/contracts/condition-type';
import { describeAlertReceiver } from '../../src/contracts/alert-receiver';
import { describePolicyEvaluator } from '../../src/contracts/policy-evaluator';
import { createAlertReceivers } from '../../src/alerts/receivers/create-receivers';
import { openConditionTypes } from '../../src/images/service/open-condition-types';
import type { ImageConditionType } from '../../src/index';
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

describeConditionType(jestFramework, 'the scanner of docs/images.md', async () => {
  const server = await startScriptedSource();
  let isAnswering = true;
  server.script = (_, response) => void (isAnswering && response.end('{"severities": ["high"]}'));
  const shown = /`scan.cjs`:\n\n```js\n([\s\S]*?)```/.exec(readFileSync('docs/images.md', 'utf8'))![1]!;
  const folder = mkdtempSync(join(tmpdir(), 'gate-scan-'));
  writeFileSync(join(folder, 'scan.cjs'), shown);
  const types = await openConditionTypes({
    modules: { scan: { module: './scan.cjs', options: { url: server.url } } },
    folder,
    importModule: (url) => Promise.resolve(createRequire(__filename)(fileURLToPath(url))),
  });
  const type: ImageConditionType = types.get('scan')!;
  return {
    type,
    answers: async (now) => void (isAnswering = now),
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
});

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
