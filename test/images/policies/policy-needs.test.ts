import { expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { policyNeeds } from '../../../src/images/policies/policy-needs';
import { readImagePolicies } from '../../../src/images/policies/read-image-policies';

const tag = { type: 'tag', operator: 'exists' };
const label = { type: 'label', operator: 'exists', value: 'a' };
const signed = { type: 'metadata', operator: 'equals', value: 'has_signature=true' };
const replicate = (over: object = {}) => ({ type: 'replicate', target_registry: 'x.example', ...over });
const source = (tags: object) => ({ registry: 'x.example', repositories: ['a'], tags });

it.each<[string, object, boolean, boolean]>([
  ['no conditions', {}, false, false],
  ['the tag', { conditions: [tag] }, false, false],
  ['the digest', { conditions: [{ ...signed, key: 'digest', value: 'a' }] }, false, false],
  ['a label', { conditions: [tag, label] }, true, false],
  ['a nested label', { conditions: [{ any: [tag, { not: { all: [label] } }] }] }, true, false],
  ['a signature', { conditions: [signed] }, false, true],
  ['a signature by key', { conditions: [{ ...signed, key: 'has_signature', value: 'true' }] }, false, true],
  ['the size', { conditions: [{ type: 'metadata', operator: 'gt', value: 'size=1MB' }] }, true, false],
  ['a type of its own', { conditions: [{ type: 'scan', operator: 'exists' }] }, true, true],
  ['a label in a template', { actions: [replicate({ target_repo: '{label:team}' })] }, true, false],
  ['the digest in a template', { actions: [replicate({ backup_tag: '{digest}' })] }, false, false],
  ['the age', { source: source({ newerThan: '1d' }) }, true, false],
  ['the version', { source: source({ latest: { count: 1 } }) }, false, false],
])('a policy with %s is read for no more than it needs', (_what, over, metadata, signature) => {
  const document: JsonObject = { id: 'a', name: 'A', actions: [replicate()], ...over } as JsonObject;
  const { policies } = readImagePolicies([{ where: { file: 'a.json' }, document }], { ownTypes: new Set(['scan']) });
  expect(policyNeeds(policies[0]!)).toEqual({ metadata, signature });
});
