import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FailureType, GateError } from '../../../src/kernel/failures';
import type { JsonObject } from '../../../src/kernel/json';
import { readArchive } from '../../../src/rego/bundle/archive/read-archive';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import { SecondOpinionError, type SecondOpinionSetting } from '../../../src/rego/evaluation-account';
import { createEvaluator, type Evaluator } from '../../../src/rego/evaluation/evaluator';
import { planOf } from '../plan/plan-fixture';
import { buildWasm } from '../../support/build-policy';
import { plainBundle } from '../../support/plain-bundle';
import { aBundle, aRequest } from './trial-policy';

const RESPONSE = 'response := {"allow": count(deny) == 0, "deny_reasons": deny}\n';
const POLICY = `package gate

${RESPONSE}
deny contains "over" if input.n > data.config.limit
deny contains "far" if input.rate - input.base > 0.2
deny contains "first" if [x | some x in input.set_of][0] == "z"
`;
const INPUT = { n: 1, rate: 2, base: 2, set_of: { a: 'b' } };

let policy: PolicyBundle;
let evaluator: Evaluator;
beforeAll(async () => {
  policy = await bundleOf(POLICY);
  evaluator = createEvaluator({ threads: 1, deadlineMs: 600_000, memoryMiB: 16 });
});
afterAll(() => evaluator.close());

/** @param moduleSource what the module is compiled from, where it is another policy */
async function bundleOf(source: string, moduleSource = source): Promise<PolicyBundle> {
  const plan = await planOf({ 'gate.rego': source }, 'gate/response');
  return { ...aBundle(await buildWasm(moduleSource, 'gate/response')), plan, sources: { 'gate.rego': source } };
}

const ask = (input: JsonObject, secondOpinion?: SecondOpinionSetting, of = policy, more = {}) =>
  evaluator.evaluate(aRequest(of, input, { ...(secondOpinion && { secondOpinion }), ...more }));

async function errorOf(asked: Promise<unknown>): Promise<GateError> {
  const error: unknown = await asked.then(
    () => new Error('It was answered'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GateError);
  expect(error).toMatchObject({ type: FailureType.PolicyEvaluation });
  return error as GateError;
}

describe('an allow of the plan', () => {
  it('an allow of the plan is agreed to by the compiled module', async () => {
    const { response, account } = await ask({ ...INPUT, rate: 2 });
    expect(response).toEqual({ allow: true, deny_reasons: [] });
    expect(account).toEqual({
      evaluator: 'plan',
      secondOpinion: { vote: 'agreed' },
      touched: expect.arrayContaining(['n', 'rate', 'base', 'set_of']) as unknown,
    });
  });

  it('an allow of the plan is agreed to over half a surrogate pair, for which OPA reads U+FFFD', async () => {
    const policy = await bundleOf(`package gate\n${RESPONSE}deny contains "other" if input.text != "\ufffd"`);
    const { response, account } = await ask({ text: '\ud800' }, 'required', policy);
    expect(response).toEqual({ allow: true, deny_reasons: [] });
    expect(account.secondOpinion).toEqual({ vote: 'agreed' });
  });

  it('an allow of the plan stays alone where the setting is off', async () => {
    const { account } = await ask(INPUT, 'off');
    expect(account.secondOpinion).toEqual({ vote: 'not-asked' });
  });

  it.each<[string, JsonObject, object]>([
    ['computes with a fraction', { rate: 0.3, base: 0.2 }, { reason: 'fraction' }],
    ['fills a list from an object of two', { set_of: { a: 'b', c: 'd' } }, { reason: 'unordered-list' }],
    ['holds an integer beyond 2^53', { n: -9007199254740994 }, { reason: 'large-integer' }],
  ])('an allow of the plan has no second opinion where it %s', async (_, change, why) => {
    const input = { ...INPUT, ...change };
    const { account } = await ask(input);
    expect(account.secondOpinion).toEqual({ vote: 'none', why: [expect.objectContaining(why)] });
    const error = await errorOf(ask(input, 'required'));
    expect(error.message).toContain('the second opinion is required, and there is none');
    expect(error.cause).toBeInstanceOf(SecondOpinionError);
  });

  it('an allow of the plan has no second opinion where policy.wasm is no module', async () => {
    const { response, account } = await ask(INPUT, 'when-possible', { ...policy, wasm: new Uint8Array([1, 2, 3]) });
    expect(response).toMatchObject({ allow: true });
    expect(account.secondOpinion).toMatchObject({ vote: 'none', why: [{ reason: 'no-module' }] });
  });

  it('an allow of the plan has no second opinion where the module needs a built-in that is not here', async () => {
    const calls = 'package gate\n\nresponse := http.send({"method": "get", "url": input.n})\n';
    const wasm = (await readArchive(await plainBundle(calls))).get('policy.wasm')!;
    const other = { ...policy, wasm };
    const { account } = await ask(INPUT, 'when-possible', other);
    const message = expect.stringContaining('not supported here: http.send') as unknown;
    expect(account.secondOpinion).toEqual({ vote: 'none', why: [{ reason: 'no-module', message }] });
    expect((await errorOf(ask(INPUT, 'required', other))).message).toContain('http.send');
  });

  it.each<[string, string, RegExp]>([
    ['denies', `package gate\n${RESPONSE}deny contains "no"`, /"allow":false,"deny_reasons":\["no"\]/],
    ['is undefined', 'package gate\nresponse := {"allow": true} if input.none', /against null/],
    [
      'contradicts itself',
      'package gate\nresponse := {"allow": x}\nx := true if input.n\nx := false if input.n',
      /no answer: .*conflict/,
    ],
    [
      'uses up its memory',
      'package gate\nresponse := {"allow": count(x) > 0}\nx := [y | some a in numbers.range(1, 900); some b in numbers.range(1, 900); y := sprintf("%d-%d", [a, b])]',
      /no answer: /,
    ],
  ])('an allow of the plan is an error with both answers where the module %s', async (_, moduleSource, message) => {
    const other = await bundleOf(POLICY, moduleSource);
    const error = await errorOf(ask(INPUT, 'when-possible', other));
    expect(error.message).toMatch(message);
    expect(error.message).toContain('{"allow":true,"deny_reasons":[]}');
    expect((error.cause as SecondOpinionError).refusal.disagreement.first).toBe('{"allow":true,"deny_reasons":[]}');
    // the next one is asked of a new instance
    expect((await errorOf(ask(INPUT, 'when-possible', other))).message).toMatch(message);
  });

  it('an allow of the plan is an error with its answer where the module passes the deadline', async () => {
    const loop = `package gate
response := {"allow": count(n) < 0}
members := {x | some x in numbers.range(1, 2000)}
n := {1 | some _ in members; some _ in members; some c in members; c == data.own}`;
    const other = await bundleOf(POLICY, loop);
    const error = await errorOf(ask(INPUT, 'when-possible', other, { deadlineMs: 1_000 }));
    expect(error.message).toMatch(/no answer: it ran longer than 1000 ms and was stopped/);
    expect(error.message).toContain('{"allow":true,"deny_reasons":[]}');
    expect(error.cause).toMatchObject({
      refusal: {
        disagreement: {
          first: '{"allow":true,"deny_reasons":[]}',
          secondFailure: 'it ran longer than 1000 ms and was stopped',
        },
        account: { evaluator: 'plan', secondOpinion: { vote: 'failed' } },
      },
    });
  });

  it('answers of a disagreement are shortened', async () => {
    const long = await bundleOf(POLICY, `package gate\n${RESPONSE}deny contains "${'x'.repeat(5_000)}"`);
    const { refusal } = (await errorOf(ask(INPUT, 'when-possible', long))).cause as SecondOpinionError;
    expect(refusal.disagreement.second).toHaveLength(2_001);
  });
});

describe('the compiled module is not asked', () => {
  it('the compiled module is not asked where the plan denies', async () => {
    const denying = await bundleOf(POLICY, 'package gate\nresponse := {"allow": true}');
    const { response, account } = await ask({ ...INPUT, n: 11 }, 'required', denying);
    expect(response).toEqual({ allow: false, deny_reasons: ['over'] });
    expect(account.secondOpinion).toEqual({ vote: 'not-asked' });
  });

  it('the compiled module is not asked where the plan notes something, which the account says', async () => {
    const { response, account } = await ask({ rate: 2, base: 2, set_of: { a: 'b' } });
    expect(response).toMatchObject({ allow: true });
    expect(account.secondOpinion).toEqual({ vote: 'not-asked' });
    expect(account.notes).toMatchObject({
      absent: [{ kind: 'absent', path: ['input', 'n'], rule: 'data.gate.deny', at: { row: 5 } }],
    });
  });

  it('the compiled module is not asked where an absence is declared, but then it is asked', async () => {
    const steps = ['input', 'n'].map((key) => ({ key }));
    const declaration = {
      where: 'gate.rego:4',
      ranges: [{ file: '', first: 1, last: 9 }],
      optional: [{ text: 'input.n', steps }],
      builtinErrorsAreUndefined: false,
      comparesAsOpa: false,
    };
    const { file } = (await ask({ ...INPUT, n: null })).account.notes!.absent[0]!.at;
    const rules = [{ ...declaration, ranges: [{ file, first: 1, last: 9 }] }];
    const declared = { ...policy, declarations: { rules, deniesWithNotes: false } };
    const { account } = await ask({ rate: 2, base: 2, set_of: { a: 'b' } }, undefined, declared);
    expect(account.secondOpinion).toEqual({ vote: 'agreed' });
    expect(account.notes).toMatchObject({
      absent: [],
      usedDeclarations: ['gate.rego:4'],
      tolerated: [{ kind: 'absent' }],
    });
  });
});

describe('a bundle with wasm alone', () => {
  it('a bundle with wasm alone is decided by the module, and nothing is noted', async () => {
    const { plan: _, ...alone } = policy;
    const { response, account } = await ask({}, 'when-possible', alone);
    expect(response).toMatchObject({ allow: true });
    expect(account).toEqual({ evaluator: 'wasm', secondOpinion: { vote: 'none', why: [{ reason: 'no-plan' }] } });
  });
});
