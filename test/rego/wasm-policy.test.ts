import { beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../src/kernel/json';
import { formatValue } from '../../src/rego/builtins/rego-format';
import { PolicyRunError, loadWasmPolicy, type WasmPolicy } from '../../src/rego/wasm-policy';
import { buildWasm } from '../support/build-policy';

const POLICY = `
package p

echo := input
has_input if input == input
limit := data.config.limits.maxDelta
text := sprintf("%v %d", [input, 123456789012345678901])
now := time.now_ns()
failed := units.parse("nonsense")
set := {3, 1, 2}
large := 123456789012345678901
size := count(input)
conflict := 1 if input.a
conflict := 2 if input.b
hungry := [x | x := sprintf("%v %v", [numbers.range(1, 20000)[_], input])]
`;
const NAMES = ['echo', 'has_input', 'limit', 'text', 'now', 'failed', 'set', 'large', 'size', 'conflict', 'hungry'];

let wasm: Uint8Array;
let policy: WasmPolicy;
beforeAll(async () => {
  wasm = await buildWasm(POLICY, ...NAMES.map((name) => `p/${name}`));
  policy = await loadWasmPolicy(wasm);
});

const evaluate = (name: string, input?: JsonValue, timeNs = 0n) =>
  policy.evaluate(`p/${name}`, input === undefined ? undefined : JSON.stringify(input), timeNs);

describe('an evaluation', () => {
  it.each([[false], [0], [''], [null], [true], [1], ['x'], [[]], [{}], [{ a: [1, { b: null }] }]])(
    'an evaluation sees the input %j as it is',
    (input) => {
      expect(evaluate('echo', input as JsonValue)).toEqual(input);
      expect(policy.evaluateExactly('p/has_input', JSON.stringify(input), 0n)).toBe(true);
    },
  );

  it.each(['x', 'ö', '€', '😀'])(
    'an evaluation sees a long input of %s whole, in memory that grows as far as it must',
    async (char) => {
      const fresh = await loadWasmPolicy(wasm, { memoryMiB: 16 });
      for (const length of [100_000, 120_000, 400_000]) {
        const input = char.repeat(length);
        expect(fresh.evaluate('p/size', JSON.stringify(input), 0n)).toBe([...input].length);
      }
    },
  );

  it('an evaluation is undefined without input, where the rule needs one', () => {
    expect(evaluate('echo')).toBeUndefined();
    expect(policy.evaluateExactly('p/echo', undefined, 0n)).toBeUndefined();
  });

  it('an evaluation reads the data that was set last', () => {
    policy.setData(JSON.stringify({ config: { limits: { maxDelta: 500 } } }));
    expect(evaluate('limit')).toBe(500);
    policy.setData(JSON.stringify({ config: { limits: { maxDelta: 7 } } }));
    expect(evaluate('limit')).toBe(7);
    policy.setData(JSON.stringify({}));
    expect(evaluate('limit')).toBeUndefined();
  });

  it('an evaluation answers time.now_ns() with the decision time, to the nanosecond', () => {
    const now = policy.evaluateExactly('p/now', '{}', 1_763_874_000_123_456_789n);
    expect(formatValue(now!)).toBe('1763874000123456789');
  });

  it("an evaluation uses OPA's sprintf and not that of the opa-wasm package, which prints [object Object] and rounds", () => {
    expect(evaluate('text', { a: [1, null] })).toBe('{"a": [1, null]} 123456789012345678901');
  });

  it('an evaluation is undefined where a built-in reports an error, as in OPA without strict errors', () => {
    expect(evaluate('failed', {})).toBeUndefined();
  });

  it('an evaluation tells a set from an array when it is asked exactly', () => {
    const set = policy.evaluateExactly('p/set', '{}', 0n);
    expect(formatValue(set!)).toBe('{1, 2, 3}');
  });

  it('an evaluation keeps all digits when it is asked exactly', () => {
    expect(formatValue(policy.evaluateExactly('p/large', '{}', 0n)!)).toBe('123456789012345678901');
  });
});

describe('an evaluation fails with an Error', () => {
  it('an evaluation fails with an Error when rules contradict each other, with what the module said as its cause', () => {
    const conflict = () => evaluate('conflict', { a: true, b: true });
    expect(conflict).toThrow(PolicyRunError);
    expect(conflict).toThrow(/The evaluation of p\/conflict failed: .*conflict/);
  });

  it('an evaluation fails with an Error when there is no such entrypoint', () => {
    expect(() => evaluate('nowhere', {})).toThrow('entrypoint p/nowhere is not valid');
    expect(() => policy.evaluateExactly('p/nowhere', '{}', 0n)).toThrow('entrypoint p/nowhere is not valid');
  });

  it('an evaluation fails with an Error when the input does not fit under the memory ceiling', async () => {
    const small = await loadWasmPolicy(wasm, { memoryMiB: 1 });
    const input = JSON.stringify('x'.repeat(2 * 1024 * 1024));
    expect(() => small.evaluate('p/echo', input, 0n)).toThrow(PolicyRunError);
    expect(small.memoryBytes).toBeLessThanOrEqual(1024 * 1024);
  });

  it('an evaluation fails with an Error when the evaluation needs more memory than the ceiling', async () => {
    const small = await loadWasmPolicy(wasm, { memoryMiB: 1 });
    expect(() => small.evaluate('p/hungry', '{}', 0n)).toThrow(PolicyRunError);
    expect(small.memoryBytes).toBeLessThanOrEqual(1024 * 1024);
  });
});

describe('loading', () => {
  it('loading takes a compiled module', async () => {
    const compiled = await loadWasmPolicy(await WebAssembly.compile(wasm));
    expect(compiled.evaluate('p/echo', '"x"', 0n)).toBe('x');
  });

  it('loading lists the entrypoints', () => {
    expect(Object.keys(policy.entrypoints).sort()).toEqual(NAMES.map((name) => `p/${name}`).sort());
  });

  it.each([
    ['bytes that are no wasm', new Uint8Array([1, 2, 3])],
    ['a module that is no policy', new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
  ])('loading refuses %s', async (_, bytes) => {
    await expect(loadWasmPolicy(bytes)).rejects.toThrow(PolicyRunError);
  });

  it('loading leaves data that does not fit as a PolicyRunError', async () => {
    const small = await loadWasmPolicy(wasm, { memoryMiB: 1 });
    expect(() => small.setData(JSON.stringify({ config: 'x'.repeat(2 * 1024 * 1024) }))).toThrow(PolicyRunError);
  });
});

it('memory stays as it is over many evaluations', () => {
  evaluate('text', { a: 'x'.repeat(1000) });
  const before = policy.memoryBytes;
  for (let i = 0; i < 20_000; i++) evaluate('text', { a: 'x'.repeat(1000) });
  expect(policy.memoryBytes).toBe(before);
});
