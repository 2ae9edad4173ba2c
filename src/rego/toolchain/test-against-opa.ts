import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { faultsToError } from '../../kernel/failures';
import { readArchive } from '../bundle/archive/read-archive';
import { loadPolicy } from '../plan/load-policy';
import { parseJson } from '../values/parse-json';
import { isObject, type RegoValue } from '../values/value';
import { opaFaults, runOpa, withCapabilities } from './opa';
import { testPolicy, type PolicyTest } from './test-policy';

/** A test on which the plan's evaluator and `opa test` do not agree. */
export interface TestDifference {
  /** `data.gate_test.test_x` */
  name: string;
  where: string;
  opa: PolicyTest['outcome'];
  plan: 'pass' | 'fail';
  /** what the plan's evaluator gave: a value, nothing, or why it failed */
  found: string;
}

export interface ComparedTests {
  /** how many were compared; tests that `opa test` skips are not */
  compared: number;
  differences: TestDifference[];
}

/**
 * Runs every `test_` rule in `dir` as an entrypoint of the plan, and compares with what `opa test` says of it.
 *
 * @throws GateError PolicyInvalid where the files do not compile, PlanInvalidError
 */
export async function testAgainstOpa(dir: string): Promise<ComparedTests> {
  const { tests } = await testPolicy(dir);
  const byName = groupTests(tests.filter(({ outcome }) => outcome !== 'skip'));
  if (byName.size === 0) return { compared: 0, differences: [] };
  return withCapabilities(async (capabilities, scratch) => {
    const output = join(scratch, 'tests.tar.gz');
    const entrypoints = [...byName.keys()].flatMap((name) => ['-e', entrypointOf(name)]);
    const sources = join(scratch, 'sources');
    await copyWithoutMetadata(dir, sources);
    const built = await runOpa(sources, [
      ...['build', '-t', 'plan', ...entrypoints, '-b', '.'],
      ...['--capabilities', capabilities.path, '-o', output],
    ]);
    if (built.code !== 0) throw faultsToError(opaFaults(built, capabilities));
    const files = await readArchive(await readFile(output));
    const data = Buffer.from(files.get('data.json') ?? '{}').toString('utf8');
    const policy = loadPolicy(Buffer.from(files.get('plan.json')!).toString('utf8'), parseJson(data));
    const decisionTimeNs = BigInt(Date.now()) * 1_000_000n;
    const differences = [...byName].flatMap(([name, [first, ...more]]): TestDifference[] => {
      // of several rules of one name `opa test` reports each, and the plan what they give together
      const opa = [first, ...more].some((test) => test!.outcome === 'pass') ? 'pass' : 'fail';
      const { plan, found } = outcomeOf(() =>
        policy.evaluate(undefined, { entrypoint: entrypointOf(name), decisionTimeNs }),
      );
      return plan === opa ? [] : [{ name, where: first!.where, opa, plan, found }];
    });
    return { compared: byName.size, differences };
  });
}

const LOADED = /(?:\.rego|(?:^|[\\/])data\.(?:json|ya?ml)|(?:^|[\\/])\.manifest)$/;

/**
 * With `entrypoint: true` in METADATA, `opa build` takes the functions of a package that has other entrypoints for values
 * (seen with 1.22.2: "function used as reference, not called"). Lines stay where they are.
 */
async function copyWithoutMetadata(dir: string, to: string): Promise<void> {
  for (const name of (await readdir(dir, { recursive: true })).filter((path) => LOADED.test(path))) {
    const text = await readFile(join(dir, name), 'utf8');
    await mkdir(dirname(join(to, name)), { recursive: true });
    await writeFile(join(to, name), name.endsWith('.rego') ? text.replace(/^# METADATA\s*$/gm, '#') : text);
  }
}

/** `opa test` numbers rules of one name: `test_x`, `test_x#01`. */
function groupTests(tests: readonly PolicyTest[]): Map<string, PolicyTest[]> {
  const groups = new Map<string, PolicyTest[]>();
  for (const test of tests) {
    const name = test.name.replace(/#\d+$/, '');
    groups.set(name, [...(groups.get(name) ?? []), test]);
  }
  return groups;
}

/** `gate_test/test_x` of `data.gate_test.test_x`. */
function entrypointOf(name: string): string {
  return [...name.matchAll(/([A-Za-z_]\w*)|\["([^"]*)"\]/g)]
    .map(([, bare, quoted]) => bare ?? quoted!)
    .slice(1)
    .join('/');
}

function outcomeOf(evaluate: () => { result: RegoValue | undefined }): { plan: 'pass' | 'fail'; found: string } {
  try {
    const { result } = evaluate();
    const isPass = result !== undefined && !holdsFalse(result);
    return { plan: isPass ? 'pass' : 'fail', found: result === undefined ? 'nothing' : String(result) };
  } catch (error) {
    return { plan: 'fail', found: (error as Error).message };
  }
}

/** A test with cases (`test_x[name]`) is an object of them; one that is false fails it. */
const holdsFalse = (value: RegoValue): boolean =>
  value === false || (isObject(value) && [...value.values()].some(holdsFalse));
