import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
import {
  HOST_BUILTINS,
  PLAN_ONLY_BUILTINS,
  WASM_BUILTINS,
  createCapabilities,
  supportedBuiltins,
} from '../../src/rego/capabilities';
import { whyRefused } from '../../src/rego/refused-builtins';
import { buildWasm, currentCapabilities } from '../support/build-policy';

const namesOf = (capabilities: JsonObject) => (capabilities.builtins as { name: string }[]).map(({ name }) => name);

let current: JsonObject;
beforeAll(async () => {
  current = await currentCapabilities();
});

describe('the capabilities for opa build', () => {
  it('the capabilities for opa build hold what the module or the host implements, and no more', () => {
    const expected = [...WASM_BUILTINS, ...HOST_BUILTINS].sort();
    expect(namesOf(createCapabilities(current)).sort()).toEqual(expected);
  });

  it('the capabilities for opa build hold for the plan what the module answers in a way of its own too', () => {
    const forPlan = namesOf(createCapabilities(current, 'plan')).sort();
    expect(forPlan).toEqual([...namesOf(createCapabilities(current)), ...PLAN_ONLY_BUILTINS].sort());
  });

  it('the capabilities for opa build keep everything else that opa says of itself', () => {
    const { builtins: _, ...rest } = current;
    expect(createCapabilities(current)).toMatchObject(rest);
  });

  it('the capabilities for opa build leave the document that they come from as it was', () => {
    const before = structuredClone(current);
    createCapabilities(current);
    expect(current).toEqual(before);
  });

  it('name no built-in twice', () => {
    const names = [...WASM_BUILTINS, ...HOST_BUILTINS];
    expect(names).toHaveLength(new Set(names).size);
  });

  it.each([[{}], [{ builtins: null }], [{ builtins: {} }]])(
    'the capabilities for opa build are refused for %j, which is no such document',
    (document) => {
      expect(() => createCapabilities(document as JsonObject)).toThrow('have a list called builtins');
    },
  );

  it.each(['http.send({})', 'rand.intn("x", 5)', 'opa.runtime()', 'uuid.rfc4122("x")', 'json.unmarshal("1")'])(
    'the capabilities for opa build make a policy with %s fail when it is built, by name and line',
    async (call) => {
      const name = call.slice(0, call.indexOf('('));
      const build = buildWasm(`package p\n\nr := x if {\n\tx := ${call}\n}\n`, 'p/r');
      await expect(build).rejects.toThrow(new RegExp(`p\\.rego:4: .*undefined function ${name.replace('.', '\\.')}`));
    },
  );
});

describe('docs/built-ins.md', () => {
  const text = readFileSync(join(__dirname, '../../docs/built-ins.md'), 'utf8');
  const section = (title: string) => {
    const body = text.split(`## ${title}\n`)[1]!.split('\n## ')[0]!;
    return body;
  };
  const listed = (title: string) => [...section(title).matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

  it('docs/built-ins.md lists what the host answers', () => {
    expect(listed('Answered by the host')).toEqual(HOST_BUILTINS);
  });

  it('docs/built-ins.md lists what the module answers', () => {
    expect(listed('Answered by the wasm module')).toEqual([...WASM_BUILTINS].sort());
  });

  it('docs/built-ins.md lists what only the evaluator of the plan answers', () => {
    expect(listed('Answered by the evaluator of the plan alone')).toEqual(PLAN_ONLY_BUILTINS);
  });

  it('docs/built-ins.md lists what is refused, each with its reason', () => {
    const supported = new Set(supportedBuiltins('plan'));
    const refused = namesOf(current).filter((name) => !supported.has(name));
    const rows = refused.sort().map((name) => `| \`${name}\` | ${whyRefused(name)} |`);
    expect(section('Refused when a policy is built').match(/^\| `.*$/gm)).toEqual(rows);
    expect(refused.filter((name) => whyRefused(name) === undefined)).toEqual([]);
  });
});

it('there is no reason for what is not refused', () => {
  expect(supportedBuiltins('plan').filter((name) => whyRefused(name) !== undefined)).toEqual([]);
});
