import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import { aRequest, buildTrialPolicy } from './trial-policy';

const SOURCES = join(__dirname, '../../../src');
const HOOK = join(__dirname, '../../support/ts-require.cjs');

/** Asks once and continues without closing anything. */
const PROGRAM = `
  const { createEvaluator } = require(${JSON.stringify(join(SOURCES, 'rego/evaluation/evaluator.ts'))});
  const { json } = require('node:stream/consumers');
  json(process.stdin).then(async (request) => {
    const evaluator = createEvaluator({ threads: 1, deadlineMs: 60_000, memoryMiB: 16 });
    request.policy.wasm = Buffer.from(request.policy.wasm, 'base64');
    const { response } = await evaluator.evaluate(request);
    console.log(response.allow);
  });
`;

it('an evaluator that is not closed keeps a process alive while it is asked, and no longer', async () => {
  const policy = await buildTrialPolicy();
  const request = aRequest(policy, { n: 1 });
  const child = spawn(process.execPath, ['-r', HOOK, '-e', PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] });
  try {
    const wasm = Buffer.from(policy.wasm).toString('base64');
    child.stdin.end(JSON.stringify({ ...request, policy: { ...policy, wasm } }));
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    expect({ stdout, stderr, code }).toEqual({ stdout: 'true\n', stderr: '', code: 0 });
  } finally {
    child.kill();
  }
});
