import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsToError, type Fault } from '../../kernel/failures';
import { isJsonObject } from '../../kernel/json';
import { runOpa } from './opa';
import { parseRego } from './policy-folder';

/**
 * The syntax trees of a bundle's Rego files, by their path in the bundle.
 *
 * @throws GateError PolicyInvalid with every file that is no Rego
 */
export async function parseSources(sources: Readonly<Record<string, string>>): Promise<Map<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-sources-'));
  try {
    const trees = new Map<string, unknown>();
    const faults: Fault[] = [];
    for (const [at, [path, text]] of Object.entries(sources)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .entries()) {
      const name = `${at}.rego`;
      await writeFile(join(folder, name), text);
      const parsed = await parseRego(folder, name);
      trees.set(path, parsed.tree);
      for (const fault of parsed.faults) {
        faults.push({ ...fault, message: fault.message.replace(name, path), where: fault.where?.replace(name, path) });
      }
    }
    if (faults.length > 0) throw faultsToError(faults);
    return trees;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The names of the built-in functions that the `opa` at hand knows, but for operators. */
export async function builtInNames(): Promise<Set<string>> {
  const { stdout } = await runOpa('.', ['capabilities', '--current']);
  const { builtins } = JSON.parse(stdout) as { builtins: unknown[] };
  return new Set(builtins.flatMap((one) => (isJsonObject(one) && one.infix === undefined ? [String(one.name)] : [])));
}
