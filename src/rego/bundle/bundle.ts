import { sha256 } from '../../kernel/digest';
import { FailureType, faultsToError, type Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { placeInJson } from '../../platform/documents/json-places';
import { jsonSyntaxFault } from '../../platform/documents/json-text';
import { factSchemaComplaints, schemaComplaints } from '../analysis/schema-complaints';
import { NO_DECLARATIONS } from '../declarations/declaration';
import { fromStoredDeclarations } from '../declarations/stored-declarations';
import { checkPlan } from '../plan/check-plan';
import { planReads } from '../plan/plan-reads';
import { readArchive } from './archive/read-archive';
import { compileOnce } from '../compile-once';
import type { PolicyReads } from '../analysis/policy-reads';
import { hasMaskRules, MASK_ENTRYPOINT } from './masks';
import { readsOfSchema } from '../analysis/reads';
import type { PolicyBundle } from './policy-bundle';
import { unnamedReads } from './unnamed-reads';
import { unresolvedReads } from './unresolved-data';
import type { BundleKey } from './signing/bundle-key';

/** The key of our metadata in the `.manifest`, and the version of its shape. */
export const METADATA_KEY = 'planning_engine';
export const METADATA_FORMAT = 1;
export const ENTRYPOINT = 'gate/response';
/** Schemas that a policy may bring beside input.json. */
export const SCHEMA_FILES = ['attributes.json', 'stage_attributes.json', 'parameters.json'] as const;

/**
 * A policy bundle from the bytes of its bundle.tar.gz, verified before anything is read from it where a key is given. A
 * plain OPA bundle (without our metadata) counts as reading all that its input.json describes, and without that file it is
 * refused.
 *
 * @throws GateError PolicyInvalid with every fault found
 */
export async function readBundle(
  bytes: Uint8Array,
  { verificationKey }: { verificationKey?: BundleKey } = {},
): Promise<PolicyBundle> {
  const files = await readArchive(bytes);
  if (verificationKey) {
    const { verifyBundle } = await import('./signing/verify-bundle.js');
    await verifyBundle(files, verificationKey);
  }
  const wasm = files.get('policy.wasm');
  if (wasm !== undefined) void compileOnce(wasm);
  const faults: Fault[] = [];
  const fault = (where: string, message: string): void =>
    void faults.push({ type: FailureType.PolicyInvalid, message: `${where}: ${message}`, where });
  const json = (name: string): JsonObject | undefined => {
    const content = files.get(name);
    if (content === undefined) return undefined;
    const text = Buffer.from(content).toString('utf8');
    try {
      const value: unknown = JSON.parse(text);
      if (isJsonObject(value)) return value;
      fault(placed(name, ''), 'expected a JSON object');
    } catch {
      const { sentence, line, column } = jsonSyntaxFault(text);
      fault(placeText(name, line, column), sentence);
    }
    return {};
  };
  /** A file of the bundle with the line and column of what a pointer names; only JSON has them, and a file that is there. */
  const placed = (name: string, pointer: string): string => {
    const content = files.get(name);
    if (content === undefined || !name.endsWith('.json')) return name;
    const { line, column } = placeInJson(Buffer.from(content).toString('utf8'), pointer);
    return placeText(name, line, column);
  };

  if (wasm === undefined) fault('policy.wasm', 'missing; expected a bundle made by opa build -t wasm');
  const plan = files.has('plan.json') ? Buffer.from(files.get('plan.json')!).toString('utf8') : undefined;
  const checked = plan === undefined ? undefined : checkPlan(plan, ENTRYPOINT);
  if (checked?.fault !== undefined) fault('plan.json', checked.fault);
  const planned = checked?.plan && planReads(checked.plan, ENTRYPOINT);
  const data = json('data.json') ?? {};
  const dataText = files.has('data.json') ? Buffer.from(files.get('data.json')!).toString('utf8') : undefined;
  if ('config' in data)
    fault(placed('data.json', '/config'), 'holds config, which comes from the configuration of the release');
  const manifest = json('.manifest') ?? {};
  const isManifestRead = faults.every(({ where }) => where?.startsWith('.manifest') !== true);
  if (wasm !== undefined && isManifestRead && !hasEntrypoint(manifest, ENTRYPOINT)) {
    fault('.manifest', `expected an entrypoint ${ENTRYPOINT} that is compiled to /policy.wasm`);
  }
  const sources = Object.fromEntries(
    [...files]
      .filter(([name]) => name.endsWith('.rego'))
      .map(([name, text]) => [name, Buffer.from(text).toString('utf8')]),
  );
  const masks = hasEntrypoint(manifest, MASK_ENTRYPOINT);
  if (isJsonObject(data.system) && 'log' in data.system) {
    fault(
      placed('data.json', '/system/log'),
      'holds system.log; expected masks to be rules, because data would not be applied',
    );
  }
  if (isManifestRead && !masks && Object.values(sources).some(hasMaskRules)) {
    fault(
      '.manifest',
      `expected an entrypoint ${MASK_ENTRYPOINT}, because the policy has masks that would not be applied`,
    );
  }
  const inputSchema = json('input.json');
  const [attributesSchema, stageAttributesSchema, parametersSchema] = SCHEMA_FILES.map((name) => {
    const schema = json(name);
    for (const { what, pointer } of schema === undefined ? [] : schemaComplaints(schema)) {
      fault(placed(name, pointer), `expected a JSON Schema (draft 2020-12), found: ${what}`);
    }
    return schema;
  });
  const metadata = metadataOf(manifest);
  const stored = metadata?.declarations;
  const declarations = stored === undefined ? NO_DECLARATIONS : fromStoredDeclarations(stored);
  if (declarations === undefined)
    fault('.manifest', `expected the declarations of metadata.${METADATA_KEY} in their form`);
  let reads: PolicyReads | undefined;
  if (inputSchema === undefined) {
    fault('input.json', 'missing; expected the JSON Schema of the facts');
  } else if (metadata === undefined) {
    reads = readsOfSchema(inputSchema, Object.values(sources).flatMap(configReadsInText));
  } else if (metadata.format !== METADATA_FORMAT || !isPolicyReads(metadata.reads)) {
    fault('.manifest', `expected metadata.${METADATA_KEY} in format ${METADATA_FORMAT} with the policy's reads`);
  } else {
    reads = metadata.reads;
  }
  if (planned !== undefined && declarations !== undefined) {
    for (const { where, what } of unresolvedReads({ planned, data, declarations })) fault(where, what);
  }
  if (inputSchema !== undefined) {
    for (const { what, pointer } of factSchemaComplaints(inputSchema)) {
      fault(placed('input.json', pointer), `expected a JSON Schema (draft 2020-12), found: ${what}`);
    }
    if (reads !== undefined && checked?.fault === undefined) {
      const isPlain = metadata === undefined;
      const found = unnamedReads({ planned, sources, inputSchema, reads, isPlain });
      for (const { where, pointer, what } of found) fault(placed(where, pointer), what);
    }
  }
  if (faults.length > 0 || !wasm || !inputSchema || !reads || !declarations) {
    throw faultsToError(faults);
  }
  const sha = sha256(bytes);
  return {
    sha,
    wasm,
    ...(plan === undefined ? {} : { plan }),
    data,
    ...(dataText === undefined ? {} : { dataText }),
    declarations,
    ...(attributesSchema === undefined ? {} : { attributesSchema }),
    ...(stageAttributesSchema === undefined ? {} : { stageAttributesSchema }),
    ...(parametersSchema === undefined ? {} : { parametersSchema }),
    inputSchema,
    reads,
    entrypoint: ENTRYPOINT,
    ...(masks ? { maskEntrypoint: MASK_ENTRYPOINT } : {}),
    sources,
  };
}

function hasEntrypoint(manifest: JsonObject, entrypoint: string): boolean {
  const { wasm } = manifest;
  return (
    Array.isArray(wasm) &&
    wasm.some((one) => isJsonObject(one) && one.entrypoint === entrypoint && one.module === '/policy.wasm')
  );
}

function metadataOf(manifest: JsonObject): JsonObject | undefined {
  const ours = isJsonObject(manifest.metadata) ? manifest.metadata[METADATA_KEY] : undefined;
  return ours === undefined ? undefined : isJsonObject(ours) ? ours : {};
}

function isPolicyReads(value: unknown): value is PolicyReads & JsonObject {
  const isPaths = (paths: unknown): boolean => Array.isArray(paths) && paths.every(isStrings);
  return (
    isJsonObject(value) &&
    isStrings(value.facts) &&
    [value.inputPaths, value.configPaths, value.collections].every(isPaths) &&
    typeof value.wholeInput === 'boolean'
  );
}

const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string');

/**
 * The paths below `data.config` that Rego source names: `opa` is not at hand where bundles are read, and asking for one
 * limit too many refuses a release, where overlooking one would allow.
 */
function configReadsInText(source: string): string[][] {
  const code = source.replace(/^\s*#.*$/gm, '');
  const reads = code.match(/\bdata\.config\b(?:\.[A-Za-z_]\w*|\["[^"\\]*"\])*/g) ?? [];
  return reads.map((read) =>
    [...read.slice('data.config'.length).matchAll(/\.(\w+)|\["([^"]*)"\]/g)].map(
      ([, name, quoted]) => name ?? quoted ?? '',
    ),
  );
}
