import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { sha256OfParts } from '../../kernel/digest';
import { FailureType, faultsToError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { MASK_ENTRYPOINT, maskTextFaults } from '../bundle/masks';
import { readArchive } from '../bundle/archive/read-archive';
import { writeArchive } from '../bundle/archive/write-archive';
import { ENTRYPOINT, METADATA_FORMAT, METADATA_KEY, readBundle } from '../bundle/bundle';
import { findReference } from '../analysis/find-reference';
import { placeOf, refuse, type SourcePlace } from '../analysis/source-faults';
import { textsIn } from '../analysis/texts-in';
import { factSchemas } from '../analysis/input-schema';
import { toOpaSchema } from '../analysis/opa-schema';
import type { PolicyReads } from '../analysis/policy-reads';
import { workOutReads } from '../analysis/reads';
import type { PolicyBundle } from '../bundle/policy-bundle';
import { unresolvedData } from '../analysis/data-references';
import type { Declarations } from '../declarations/declaration';
import { readDeclarations, ruleLines } from '../declarations/read-declarations';
import { toStoredDeclarations } from '../declarations/stored-declarations';
import { opaFaults, runOpa, withCapabilities, WITHOUT_TESTS, type CapabilitiesFile } from './opa';
import { parseRego, readPolicyFolder, type PolicyFolder } from './policy-folder';

export interface BuiltPolicy {
  bytes: Uint8Array;
  bundle: PolicyBundle;
}

/**
 * Compiles the policy in `dir` to a bundle.tar.gz that has the same bytes each time, and so the same digest: its `revision`
 * comes from its sources, not from the name under which it is published.
 *
 * @throws GateError PolicyInvalid with every fault found, each with its file and line
 */
export async function buildPolicy(dir: string): Promise<BuiltPolicy> {
  const folder = await readPolicyFolder(dir);
  return withCapabilities(async (capabilities, scratch) => {
    const { faults, reads, trees, declarations, deps } = await analyse(dir, folder, capabilities);
    const placeOfRead = (path: readonly string[]): SourcePlace | undefined => findReference(trees, path);
    if (faults.length > 0) throw faultsToError(faults);
    const build = async (target: 'wasm' | 'plan'): Promise<Map<string, Uint8Array>> => {
      const output = join(scratch, `${target}.tar.gz`);
      const built = await runOpa(dir, [
        ...['build', '-t', target, '-e', ENTRYPOINT, '-b', '.', ...WITHOUT_TESTS],
        ...([...trees.values()].some(hasMasks) ? ['-e', MASK_ENTRYPOINT] : []),
        ...['--capabilities', capabilities.path, '-o', output],
      ]);
      if (built.code !== 0) throw faultsToError(opaFaults(built, capabilities));
      return readArchive(await readFile(output));
    };
    const files = await build('wasm');
    for (const [name, content] of await build('plan')) {
      // For wasm, opa drops the rules that are entrypoints from the Rego files; the lines of the plan are those of the whole ones.
      if (name === 'plan.json' || name.endsWith('.rego')) files.set(name, content);
    }
    const unresolved = unresolvedData(deps, files.get('data.json'), declarations, placeOfRead);
    if (unresolved.length > 0) throw faultsToError(unresolved);
    for (const [name, content] of folder.schemas) files.set(name, content);
    files.set('.manifest', manifestWith(files.get('.manifest'), { reads, declarations }, sourceRevision(files)));
    const bytes = await writeArchive(files);
    return { bytes, bundle: await readBundle(bytes) };
  });
}

export interface PolicyAnalysis {
  faults: Fault[];
  reads: PolicyReads;
  declarations: Declarations;
  /** syntax trees by file */
  trees: Map<string, unknown>;
  /** the answer of `opa deps` for the entrypoint; undefined where faults kept it from being asked */
  deps: unknown;
}

/** What a policy reads and declares, and everything that keeps it from being built. */
export async function analyse(
  dir: string,
  folder: PolicyFolder,
  capabilities: CapabilitiesFile,
): Promise<PolicyAnalysis> {
  const faults = [...folder.faults];
  const trees = new Map<string, unknown>();
  for (const file of folder.regoFiles) {
    const parsed = await parseRego(dir, file);
    faults.push(...parsed.faults, ...maskFaults(file, parsed.tree, folder));
    if (parsed.faults.length === 0) trees.set(file, parsed.tree);
  }
  const canCompile = trees.size === folder.regoFiles.length;
  if (canCompile) {
    const checked = await runOpa(dir, [
      ...['check', '--format', 'json', '--capabilities', capabilities.path, '-b', '.', ...WITHOUT_TESTS],
    ]);
    if (checked.code !== 0) faults.push(...opaFaults(checked, capabilities));
  }
  if (canCompile && !answers(trees)) {
    const message = `${ENTRYPOINT}: expected a rule response in the package gate, which answers {"allow": boolean, "deny_reasons": [string, …]}, found none`;
    faults.push({ type: FailureType.PolicyInvalid, message, where: ENTRYPOINT });
  }
  if (folder.inputSchema === undefined && !folder.faults.some(({ where }) => where?.startsWith('input.json'))) {
    const message = 'input.json: missing; expected the JSON Schema of the facts';
    faults.push({ type: FailureType.PolicyInvalid, message, where: 'input.json' });
  }
  const deps =
    canCompile && faults.length === 0
      ? await runOpa(dir, [
          'deps',
          '-b',
          '.',
          ...WITHOUT_TESTS,
          '--format',
          'json',
          `data.${ENTRYPOINT.replace('/', '.')}`,
        ])
      : undefined;
  if (deps !== undefined && deps.code !== 0) faults.push(...opaFaults(deps));
  const answer: unknown = deps?.code === 0 ? JSON.parse(deps.stdout) : undefined;
  const read = workOutReads({
    deps: answer,
    inputSchema: folder.inputSchema,
    schemaPlace: (pointer) => folder.placeOf('input.json', pointer),
    placeOfRead: (path) => findReference(trees, path),
  });
  const declared = readDeclarations(trees, ENTRYPOINT);
  faults.push(...read.faults, ...declared.faults);
  if (faults.length === 0 && folder.inputSchema !== undefined) {
    faults.push(...(await fieldFaults(dir, folder.inputSchema, trees, read.reads)));
  }
  return { faults, reads: read.reads, declarations: declared.declarations, trees, deps: answer };
}

/** Whether a rule gives the response, or a part of it. */
function answers(trees: ReadonlyMap<string, unknown>): boolean {
  const wanted = `data.${ENTRYPOINT.replace('/', '.')}`;
  return ruleLines(trees).some(({ path }) => path === wanted || path.startsWith(`${wanted}.`));
}

/** Fields that no element has by input.json, as far as OPA's types tell: misspelt ones. */
async function fieldFaults(
  dir: string,
  inputSchema: JsonObject,
  trees: ReadonlyMap<string, unknown>,
  reads: PolicyReads,
): Promise<Fault[]> {
  const described = factSchemas(inputSchema);
  // a fact that is not described is reported by its own name where the policy is checked
  if (reads.facts.some((id) => !Object.hasOwn(described, id))) return [];
  // A mask reads the decision's event, which input.json does not describe.
  const masks = [...trees].flatMap(([file, tree]) => (hasMasks(tree) ? ['--ignore', basename(file)] : []));
  const schema = toOpaSchema(inputSchema, [...trees.values()].flatMap(textsIn));
  const checked = await withSchemaFile(schema, (path) =>
    runOpa(dir, ['check', '--format', 'json', '--schema', path, '-b', '.', ...WITHOUT_TESTS, ...masks]),
  );
  return checked.code === 0 ? [] : opaFaults(checked);
}

/** Whether a file belongs to OPA's masks, `package system.log`. */
const hasMasks = (tree: unknown): boolean => packageOf(tree) === MASK_PACKAGE;

/** Masks that would not be applied, or not as their author thought. */
function maskFaults(file: string, tree: unknown, folder: PolicyFolder): Fault[] {
  const name = packageOf(tree);
  const place = isJsonObject(tree) && isJsonObject(tree.package) ? placeOf(file, tree.package) : undefined;
  const fault = (message: string): Fault => refuse(place ?? { file, line: 1, column: 1 }, message);
  if (name.startsWith(`${MASK_PACKAGE}/`)) return [fault('expected masks as the rule mask of the package system.log')];
  return name === MASK_PACKAGE ? maskTextFaults(textsIn(tree), folder).map(fault) : [];
}

function packageOf(tree: unknown): string {
  const path = isJsonObject(tree) && isJsonObject(tree.package) ? tree.package.path : undefined;
  return Array.isArray(path) ? path.map((term) => (isJsonObject(term) ? term.value : undefined)).join('/') : '';
}

const MASK_PACKAGE = 'data/system/log';

async function withSchemaFile<T>(schema: JsonObject, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-schema-'));
  try {
    const path = join(folder, 'input.json');
    await writeFile(path, JSON.stringify(schema));
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function manifestWith(
  made: Uint8Array | undefined,
  { reads, declarations }: Pick<PolicyAnalysis, 'reads' | 'declarations'>,
  revision: string,
): Uint8Array {
  const manifest = JSON.parse(Buffer.from(made ?? []).toString('utf8') || '{}') as JsonObject;
  const metadata = isJsonObject(manifest.metadata) ? manifest.metadata : {};
  const ours = { format: METADATA_FORMAT, reads, declarations: toStoredDeclarations(declarations) };
  return Buffer.from(JSON.stringify({ ...manifest, revision, metadata: { ...metadata, [METADATA_KEY]: ours } }));
}

/** Of everything but what the compiler made; as long as a commit's short name. */
function sourceRevision(files: ReadonlyMap<string, Uint8Array>): string {
  const parts = [...files.keys()].sort().flatMap((name) => {
    if (name === '.manifest' || name === 'policy.wasm' || name === 'plan.json') return [];
    const content = files.get(name) ?? new Uint8Array();
    return [`${name}\0${content.length}\0`, content];
  });
  return sha256OfParts(parts).slice(0, 12);
}
