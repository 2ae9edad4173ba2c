import { FailureType, type Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { isJsonObject, type JsonSchema, type JsonValue } from '../../kernel/json';
import { RESERVED_INPUT_KEYS } from '../../kernel/names';
import { factSchemas, mustNotBeEmpty, schemaAt } from './input-schema';
import { closeName } from '../../platform/documents/close-name';
import type { PolicyReads } from './policy-reads';
import type { SourcePlace } from './source-faults';

/** What `PolicyReads` are worked out from. */
export interface ReadsSource {
  /** the answer of `opa deps --format json` for the entrypoint */
  deps: unknown;
  /** the JSON Schema of the facts; absent when the policy has no input.json */
  inputSchema: JsonSchema | undefined;
  /** where input.json has what a JSON Pointer names, for faults @default its name alone */
  schemaPlace?(pointer: string): string;
  /** where the policy names a path, `input` or `data` first; @default not said */
  placeOfRead?(path: readonly string[]): SourcePlace | undefined;
}

const ATTRIBUTES = ['attributes', 'stage_attributes'];
const DEPLOYMENT_KEYS = ['id', 'stage', 'stage_index', ...ATTRIBUTES];

/**
 * What a policy reads, or every fault that keeps it from being known (gate rules, section 3).
 *
 * A bare `input` counts as every property of input.json, which then must be closed by `additionalProperties: false`. A
 * path that `opa deps` gives ends where the policy stops naming keys, so a collection there may be iterated over:
 * it must not be empty unless the schema says `minItems: 0` or `minProperties: 0`. Every path that is a collection by
 * its schema is held to that, whether or not it is iterated over, so that no form of iteration is overlooked.
 */
export function workOutReads(source: ReadsSource): { reads: PolicyReads; faults: Fault[] } {
  const { inputSchema, schemaPlace = () => 'input.json', placeOfRead = () => undefined } = source;
  const paths = basePaths(source.deps);
  const schemas = factSchemas(inputSchema ?? {});
  const faults: Fault[] = [];
  const fault = (where: string, message: string, extra: Partial<Fault> = {}): void =>
    void faults.push({ type: FailureType.PolicyInvalid, message: `${where}: ${message}`, where, ...extra });
  const readAt = (path: readonly string[]): string => {
    const place = placeOfRead(path);
    return place === undefined ? path.join('.') : placeText(place.file, place.line, place.column);
  };

  for (const name of RESERVED_INPUT_KEYS) {
    if (name in schemas) {
      const place = schemaPlace(`/properties/${name}`);
      fault(place, `expected input.json to describe facts only: ${name} is reserved for the gate`, { factId: name });
    }
  }

  const inputPaths = paths.filter(([root]) => root === 'input').map(([, ...path]) => path);
  const wholeInput = inputPaths.some((path) => path.length === 0);
  if (wholeInput && inputSchema?.additionalProperties !== false) {
    fault(
      readAt(['input']),
      'the policy reads input as a whole, so every property of input.json counts as read: ' +
        `expected additionalProperties: false in it, ${inputSchema === undefined ? 'found no input.json' : 'found it open'}`,
    );
  }
  if (wholeInput) inputPaths.push(...Object.keys(schemas).map((id) => [id]));

  const required = inputPaths.filter((path) => path.length > 0 && !isAlwaysThere(path));
  for (const [, key] of inputPaths.filter(([id]) => id === 'deployment')) {
    if (key !== undefined && !DEPLOYMENT_KEYS.includes(key)) {
      const close = closeName(key, DEPLOYMENT_KEYS);
      const hint = close === undefined ? '' : `; did you mean ${close}?`;
      const message = `the policy reads input.deployment.${key}; expected one of ${DEPLOYMENT_KEYS.join(', ')}${hint}`;
      fault(readAt(['input', 'deployment', key]), message);
    }
  }
  const facts = unique(required.flatMap(([id]) => (id === undefined || isReserved(id) ? [] : [id])));
  const collections = inputPaths.filter(
    (path) =>
      isRequiredOrAttributes(path) &&
      mustNotBeEmpty(path[0] === 'deployment' ? undefined : schemaAt(inputSchema ?? {}, path)),
  );
  return {
    reads: {
      facts: [...facts].sort(),
      inputPaths: orderedPaths(required),
      configPaths: orderedPaths(configPaths(paths)),
      collections: orderedPaths(collections),
      wholeInput,
    },
    faults,
  };
}

/** What a bundle without our metadata counts as reading: all that its input.json describes. */
export function readsOfSchema(inputSchema: JsonSchema, configReads: string[][]): PolicyReads {
  const inputRead = { type: 'var', value: 'input' };
  const { reads } = workOutReads({ deps: { base: [[inputRead]] }, inputSchema });
  return { ...reads, configPaths: orderedPaths(configReads) };
}

/** A bare `data` or `data.config` gives the empty path: the whole object. Other data is the bundle's own. */
function configPaths(paths: string[][]): string[][] {
  return paths
    .filter(([root, first]) => root === 'data' && (first === undefined || first === 'config'))
    .map(([, , ...path]) => path);
}

/** `[['input', 'fleet'], …]`; a path ends before its first variable, and an index counts as a key. */
export function basePaths(deps: unknown): string[][] {
  const base = isJsonObject(deps) && Array.isArray(deps.base) ? deps.base : [];
  return base
    .filter((ref): ref is JsonValue[] => Array.isArray(ref))
    .map((ref) => ref.slice(0, firstVariable(ref)).map(termText));
}

function firstVariable(ref: JsonValue[]): number {
  const at = ref.findIndex(
    (term, index) => index > 0 && isJsonObject(term) && !['string', 'number'].includes(String(term.type)),
  );
  return at === -1 ? ref.length : at;
}

const termText = (term: JsonValue): string => (isJsonObject(term) ? String(term.value) : String(term));
const isReserved = (id: string): boolean => (RESERVED_INPUT_KEYS as readonly string[]).includes(id);
const isAttribute = (path: string[]): boolean =>
  path[0] === 'deployment' && path.length > 2 && ATTRIBUTES.includes(path[1] ?? '');
/** What the gate itself puts into every input. */
const isAlwaysThere = (path: string[]): boolean => isReserved(path[0] ?? '') && !isAttribute(path);
const isRequiredOrAttributes = (path: string[]): boolean =>
  path.length > 0 && (!isAlwaysThere(path) || (path[0] === 'deployment' && ATTRIBUTES.includes(path[1] ?? '')));

const unique = (ids: string[]): string[] => [...new Set(ids)];

/** Each once, ordered, so that the same policy always gives the same bundle. */
function orderedPaths(paths: string[][]): string[][] {
  return unique(paths.map((path) => JSON.stringify(path)))
    .sort()
    .map((text) => JSON.parse(text) as string[]);
}
