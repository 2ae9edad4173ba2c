import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../../src/kernel/json';
import { decideImage, type DecideOptions } from '../../../src/images/decision/decide-image';
import type { ImageMetadata } from '../../../src/images/image-metadata';
import { ownValuesName, type OwnValues } from '../../../src/images/conditions/condition-type';
import { readMappingEntry, type MappingEntry } from '../../../src/images/policies/mapping';
import { readImagePolicies } from '../../../src/images/policies/read-image-policies';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const IMAGE: ImageMetadata = {
  registry: 'docker.example',
  repository: 'team/app',
  tag: 'prod-1',
  labels: { environment: ['production'] },
  annotations: {},
  createdAtMs: NOW - 86_400_000,
};
/** Nothing but its name could be read. */
const UNREAD: ImageMetadata = { registry: 'docker.example', repository: 'team/app', tag: 'prod-1' };

const replicate = (target_repo = 'mirror/{repository}') => ({ type: 'replicate', target_registry: 'ecr', target_repo });
const block = (reason?: string) => ({ type: 'block', ...(reason === undefined ? {} : { parameters: { reason } }) });
const notify = { type: 'notify', parameters: { receiver: 'team' } };
const production = { type: 'label', operator: 'equals', value: 'environment=production' };
const staging = { type: 'label', operator: 'equals', value: 'environment=staging' };
const policy = (id: string, over: object = {}): JsonObject => ({
  id,
  name: id.toUpperCase(),
  actions: [replicate()],
  ...over,
});

function read(documents: readonly JsonValue[], ownTypes?: ReadonlySet<string>) {
  const sources = documents.map((document, index) => ({ where: { file: `${index}.json` }, document }));
  return readImagePolicies(sources, ownTypes === undefined ? {} : { ownTypes });
}

function decide(documents: readonly JsonValue[], image = IMAGE, over: Partial<DecideOptions> = {}) {
  return decideImage(read(documents), image, { nowMs: NOW, clockNs: () => 0, ...over });
}

function mapped(source = 'docker.example/team/*', target = 'mirror.example/{repository}'): MappingEntry[] {
  const entry = readMappingEntry(source, target);
  if (typeof entry === 'string') throw new Error(entry);
  return [entry];
}

describe('the decision about an image', () => {
  it('replicates what a policy matches, and says where', () => {
    const decision = decide([policy('a', { conditions: [production] })]);
    expect(decision).toMatchObject({
      shouldReplicate: true,
      matchedPolicies: ['a'],
      reason: 'replicated by a',
      actions: [
        { type: 'replicate', policyId: 'a', target: { registry: 'ecr', repository: 'mirror/team/app', tag: 'prod-1' } },
      ],
      metadata: { image: 'docker.example/team/app:prod-1', degraded: false },
      results: [{ matched: true, conditionResults: [{ condition: production, matched: true }] }],
    });
  });

  it.each([1, 100, 1000])(
    'is to block where one policy blocks, though another of priority %i replicates',
    (priority) => {
      const decision = decide([
        policy('a', { priority }),
        policy('b', { priority: 100, actions: [block('no scan'), notify] }),
      ]);
      expect(decision).toMatchObject({ shouldReplicate: false, reason: 'no scan', matchedPolicies: expect.anything() });
      expect(decision.actions.map(({ type }) => type)).toEqual(['block', 'notify']);
      expect(decision.conflicts).toEqual(
        priority === 100 ? [{ priority: 100, blocking: ['b'], replicating: ['a'] }] : [],
      );
    },
  );

  it('blocks where a policy that blocks could not be evaluated, whatever the setting', () => {
    const policies = [policy('a'), policy('b', { conditions: [production], actions: [block('x')] })];
    for (const onEvaluationError of ['block', 'default'] as const) {
      const decision = decide(policies, UNREAD, { onEvaluationError, mapping: mapped() });
      expect(decision).toMatchObject({
        shouldReplicate: false,
        reason: 'B: the label environment could not be read',
        matchedPolicies: ['a'],
        errors: [{ code: 'CONDITION_EVAL_ERROR', policyId: 'b', cause: 'the label environment could not be read' }],
      });
    }
  });

  it.each<[string, object, boolean, string]>([
    ['block', {}, false, 'could not be evaluated'],
    ['block with a mapping', { mapping: mapped() }, false, 'could not be evaluated'],
    ['default', { onEvaluationError: 'default', mapping: mapped() }, true, 'the image follows the mapping'],
    ['default without a mapping', { onEvaluationError: 'default' }, false, 'no mapping covers the image'],
  ])('follows onEvaluationError where what would replicate is unknown: %s', (_name, over, should, reason) => {
    const decision = decide([policy('a', { conditions: [production] })], UNREAD, over);
    expect(decision).toMatchObject({ shouldReplicate: should, actions: [], metadata: { degraded: should } });
    expect(decision.reason).toContain(reason);
  });

  it('replicates what one policy matches though another one that replicates is unknown', () => {
    const decision = decide(
      [policy('a'), policy('b', { conditions: [production], actions: [replicate('x')] })],
      UNREAD,
    );
    expect(decision).toMatchObject({ shouldReplicate: true, reason: 'replicated by a', errors: [{ policyId: 'b' }] });
  });

  it.each<[string, JsonValue[], object, object]>([
    [
      'without a mapping',
      [policy('a', { conditions: [staging] })],
      {},
      { shouldReplicate: false, reason: 'no policy matched' },
    ],
    [
      'with a mapping',
      [policy('a', { conditions: [staging] })],
      { mapping: mapped() },
      { shouldReplicate: true, actions: [], metadata: { mappedTo: 'mirror.example/team/app:prod-1', degraded: false } },
    ],
    ['with a mapping of others', [], { mapping: mapped('docker.example/other/**') }, { shouldReplicate: false }],
    [
      'with a mapping that gives no name',
      [],
      { mapping: mapped('docker.example/**', 'mirror.example/{label:none}') },
      { shouldReplicate: false },
    ],
    ['when all are disabled', [policy('a', { enabled: false })], {}, { shouldReplicate: false, results: [] }],
    [
      'when one notifies',
      [policy('a', { actions: [notify] })],
      {},
      { shouldReplicate: false, actions: [{ type: 'notify' }] },
    ],
  ])('follows the mapping where no policy replicates: %s', (_name, documents, over, expected) => {
    expect(decide(documents, IMAGE, over)).toMatchObject(expected);
  });

  it.each<[string, object, boolean]>([
    ['its registry', { registry: 'docker.example', repositories: ['team/*'] }, true],
    ['another registry', { registry: 'other.example', repositories: ['**'] }, false],
    ['a name of its registry', { registry: 'hub', repositories: ['**'] }, true],
    ['another repository', { registry: 'docker.example', repositories: ['team', 'team/app/*', '*'] }, false],
    ['a tag that is denied', { registry: 'hub', repositories: ['**'], tags: { deny: ['^prod'] } }, false],
    [
      'one of two sets of tags',
      { registry: 'hub', repositories: ['**'], tags: [{ semver: '1' }, { allow: ['^prod'] }] },
      true,
    ],
    ['an image that is too old', { registry: 'hub', repositories: ['**'], tags: { newerThan: '1h' } }, false],
    ['an image that is young', { registry: 'hub', repositories: ['**'], tags: { newerThan: '2d' } }, true],
  ])('asks a policy about images of its source only: %s', (_name, source, matched) => {
    const registries = new Map([['hub', 'docker.example']]);
    expect(decide([policy('a', { source })], IMAGE, { registries }).shouldReplicate).toBe(matched);
  });

  it('does not know whether an image of unknown age is young', () => {
    const source = { registry: 'docker.example', repositories: ['**'], tags: { newerThan: '2d' } };
    expect(decide([policy('a', { source })], UNREAD)).toMatchObject({
      shouldReplicate: false,
      errors: [{ code: 'CONDITION_EVAL_ERROR' }],
    });
  });

  it('makes a copy once that two policies want', () => {
    const { actions, matchedPolicies } = decide([
      policy('a'),
      policy('b', { priority: 1 }),
      policy('c', { actions: [replicate('c')] }),
    ]);
    expect(matchedPolicies).toEqual(['b', 'a', 'c']);
    expect(actions.map(({ policyId }) => policyId)).toEqual(['b', 'c']);
  });

  it('replicates nowhere where the target has no valid name', () => {
    const decision = decide([policy('a', { actions: [replicate('{label:none}/x'), notify] })]);
    expect(decision).toMatchObject({
      shouldReplicate: false,
      matchedPolicies: ['a'],
      actions: [{ type: 'notify' }],
      errors: [{ code: 'ACTION_EXEC_ERROR', policyId: 'a' }],
    });
  });

  it('compares what condition types of a program said; what one did not say is unknown', () => {
    const own = new Map<string, OwnValues>([
      [ownValuesName('scan', 'result'), { values: ['passed'] }],
      [ownValuesName('broken', undefined), { error: 'the scanner is away' }],
    ]);
    const set = read(
      [
        policy('a', { conditions: [{ type: 'scan', key: 'result', operator: 'equals', value: 'passed' }] }),
        policy('b', { conditions: [{ type: 'broken', operator: 'exists' }], actions: [block()] }),
      ],
      new Set(['scan', 'broken']),
    );
    const decision = decideImage(set, { ...IMAGE, own }, { nowMs: NOW, clockNs: () => 0 });
    expect(decision.matchedPolicies).toEqual(['a']);
    expect(decision).toMatchObject({
      shouldReplicate: false,
      errors: [
        { code: 'CONDITION_EVAL_ERROR', policyId: 'b', cause: 'the broken could not be read: the scanner is away' },
      ],
    });
  });

  it('leaves policies unknown that the time limit cuts off, and measures the others', () => {
    let ns = 0;
    const clockNs = () => (ns += 2_000_000);
    const documents = [policy('a', { priority: 2 }), policy('b', { priority: 1 }), policy('c', { actions: [block()] })];
    const decision = decide(documents, IMAGE, { clockNs, timeoutMs: 3 });
    expect(decision.shouldReplicate).toBe(false);
    expect(decision.results.map(({ evaluationTime }) => evaluationTime)).toEqual([2e6, 2e6, 2e6]);
    expect(decision.errors).toEqual([
      { code: 'CONDITION_EVAL_ERROR', policyId: 'c', cause: 'the evaluation took longer than 3 ms' },
    ]);
  });
});

describe('the signature of a policy', () => {
  const key = { verifies: () => true };
  function decideSigned(enforce: string, image: ImageMetadata, over: object = {}) {
    const document = policy('a', {
      signature: { key: { file: 'k.pub' }, enforce },
      actions: [replicate(), notify],
      ...over,
    });
    const set = readImagePolicies([{ where: { file: 'a.json' }, document }], { readKey: () => key });
    return decideImage(set, image, { nowMs: NOW, clockNs: () => 0 });
  }
  const check = (verified: boolean) => ({ verified, reasons: verified ? [] : ['x is of another key'] });
  const having = (verified: boolean) => ({ ...IMAGE, signatures: new Map([['a', check(verified)]]) });

  it.each(['enforce', 'warn', 'audit'])('that is verified changes nothing, but is recorded: %s', (enforce) => {
    const decision = decideSigned(enforce, having(true));
    expect(decision).toMatchObject({ shouldReplicate: true, warnings: [] });
    expect(decision.results[0]?.signature).toEqual({ verified: true, reasons: [], enforce });
  });

  it.each([
    ['enforce', false, 0],
    ['warn', true, 1],
    ['audit', true, 0],
  ])('that is not verified: with %s the image is replicated: %p', (enforce, should, warnings) => {
    const decision = decideSigned(enforce, having(false));
    expect(decision.shouldReplicate).toBe(should);
    expect(decision.warnings).toHaveLength(warnings);
    expect(decision.results[0]?.signature).toMatchObject({ verified: false, enforce });
    expect(decision.actions.map(({ type }) => type)).toEqual([should ? 'replicate' : 'block', 'notify']);
    if (!should) expect(decision.reason).toBe('no signature was verified: x is of another key');
  });

  it('that was not checked is not verified', () => {
    expect(decideSigned('enforce', IMAGE)).toMatchObject({
      shouldReplicate: false,
      reason: 'no signature was verified: the signatures could not be read',
    });
  });

  it('of a policy that does not match does not count', () => {
    const decision = decideSigned('enforce', having(false), { conditions: [staging] });
    expect(decision).toMatchObject({ shouldReplicate: false, reason: 'no policy matched', actions: [] });
  });
});

describe('any policies', () => {
  const conditions = fc.array(
    fc.constantFrom(production, staging, { type: 'metadata', key: 'size', operator: 'gt', value: '1MB' }),
    { maxLength: 3 },
  );
  const actions = fc.array(fc.constantFrom(replicate(), replicate('x'), block('r'), notify), {
    minLength: 1,
    maxLength: 3,
  });
  const policies = fc.uniqueArray(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      priority: fc.integer({ min: 0, max: 2 }),
      conditions,
      actions,
    }),
    { selector: ({ id }) => id, maxLength: 5 },
  );
  const documents = policies.map((list) => list.map(({ id, ...over }) => policy(id, over)));

  it('decide the same whatever the order of the files', () => {
    fc.assert(
      fc.property(
        documents.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => expect(decide(shuffled)).toEqual(decide(list)),
      ),
    );
  });

  it('never replicate an image that one of them blocks or might block', () => {
    fc.assert(
      fc.property(documents, fc.constantFrom('block' as const, 'default' as const), (list, onEvaluationError) => {
        const decision = decide(list, IMAGE, { onEvaluationError, mapping: mapped() });
        const isBlocked = decision.results.some((one) => one.actions.some(({ type }) => type === 'block'));
        if (isBlocked) expect(decision.shouldReplicate).toBe(false);
        expect(decision.actions.some(({ type }) => type === 'replicate') && !decision.shouldReplicate).toBe(false);
        const notified = decision.results.flatMap((one) => one.actions.filter(({ type }) => type === 'notify'));
        expect(decision.actions.filter(({ type }) => type === 'notify')).toEqual(notified);
      }),
    );
  });
});
