import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { runOpa } from '../../src/rego/toolchain/opa';
import { parseRego } from '../../src/rego/toolchain/policy-folder';
import { readTree, type ModuleTree } from './tree';

/** Policies that are built together: a folder's own Rego files and what they share. */
export interface Unit {
  /** the folder, relative to the corpus */
  name: string;
  /** where the unit was copied to */
  dir: string;
  /** modules by their path in `dir`; tests and shared files apart */
  policies: ReadonlyMap<string, ModuleTree>;
  tests: ReadonlyMap<string, ModuleTree>;
  /** files that were written in Rego v0 and converted by `opa fmt` */
  converted: number;
  /** what keeps the unit from being evaluated */
  refused?: string;
}

const isRego = (name: string): boolean => name.endsWith('.rego');
export const isTest = (name: string): boolean => name.endsWith('_test.rego');
const DATA_FILE = /^data\.(?:json|ya?ml)$/;

/**
 * Every folder below `root` that itself holds a Rego file other than a test. A policy of the gate, which has an input.json,
 * is a unit with all that is below it.
 */
export async function findUnits(root: string): Promise<string[]> {
  const files = await readdir(root, { recursive: true });
  const gates = files.filter((name) => basename(name) === 'input.json').map(dirname);
  const gateOf = (folder: string): string => gates.find((gate) => isWithin(gate, folder)) ?? folder;
  const folders = files.filter((name) => isRego(name) && !isTest(name)).map((name) => gateOf(dirname(name)));
  return [...new Set(folders)].sort();
}

const isWithin = (folder: string, other: string): boolean =>
  folder === '.' || other === folder || other.startsWith(`${folder}/`);

/** Rego that belongs to every unit, in Rego v1. */
export interface Libraries {
  dir: string;
  faults: readonly string[];
  /** the folder that a copied file or folder came from */
  sourceOf(path: string): string;
}

/** Copies the Rego files of folders into one, once for all units. */
export async function copyLibraries(folders: readonly string[], dir: string): Promise<Libraries> {
  const faults: string[] = [];
  await mkdir(dir, { recursive: true });
  for (const [index, folder] of folders.entries()) {
    for (const file of await readdir(folder, { recursive: true })) {
      if (!isRego(file) || isTest(file)) continue;
      const to = join(`library-${index}`, file);
      await copy(join(folder, file), join(dir, to));
      const { tree, fault } = await parseInV1(dir, to);
      if (tree === undefined) faults.push(fault);
    }
  }
  const sourceOf = (path: string): string => {
    const [library = '', ...rest] = relative(dir, path).split(sep);
    const folder = folders[Number(library.replace('library-', ''))];
    return folder === undefined || !isRego(path) ? '' : dirname(join(folder, ...rest));
  };
  return { dir, faults, sourceOf };
}

/** Copies a unit into a folder of its own, in Rego v1, and parses it. A library's files in the unit's folder are the unit's. */
export async function copyUnit(root: string, name: string, libraries: Libraries, dir: string): Promise<Unit> {
  const from = join(root, name);
  const policies = new Map<string, ModuleTree>();
  const tests = new Map<string, ModuleTree>();
  const faults: string[] = [];
  let converted = 0;
  const isGate = (await readdir(from)).includes('input.json');
  const own = (await readdir(from, { recursive: isGate })).filter(
    (one) => isRego(one) || DATA_FILE.test(basename(one)),
  );
  for (const file of own) {
    await copy(join(from, file), join(dir, file));
    if (!isRego(file)) continue;
    const { tree, wasConverted, fault } = await parseInV1(dir, file);
    if (wasConverted) converted++;
    if (tree === undefined) faults.push(fault);
    else (isTest(file) ? tests : policies).set(file, readTree(tree));
  }
  // what the policy sees as data.config
  if (isGate) await copy(join(from, 'config.json'), join(dir, 'config', 'data.json'));
  await cp(libraries.dir, dir, { recursive: true, filter: (path) => !isWithin(from, libraries.sourceOf(path)) });
  faults.push(...libraries.faults);
  return { name, dir, policies, tests, converted, ...(faults.length === 0 ? {} : { refused: faults.join('; ') }) };
}

/** Nothing where there is no such file. */
async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** A file that is no Rego v1 is converted, as its author would. */
async function parseInV1(dir: string, file: string): Promise<{ tree?: unknown; wasConverted: boolean; fault: string }> {
  const first = await parseRego(dir, file);
  if (first.tree !== undefined) {
    await writeFile(join(dir, file), withoutMetadata(await readFile(join(dir, file), 'utf8')));
    return { tree: first.tree, wasConverted: false, fault: '' };
  }
  await runOpa(dir, ['fmt', '--v0-v1', '--write', file]);
  await writeFile(join(dir, file), withoutMetadata(await readFile(join(dir, file), 'utf8')));
  const second = await parseRego(dir, file);
  const fault = second.faults.map(({ message }) => message).join('; ');
  return { tree: second.tree, wasConverted: second.tree !== undefined, fault };
}

/**
 * Annotations change no answer, but `opa build` reads them: schemas that are not at hand, entrypoints beside ours. Lines stay
 * where they are.
 */
const withoutMetadata = (text: string): string => text.replace(/^# METADATA\s*$/gm, '#');
