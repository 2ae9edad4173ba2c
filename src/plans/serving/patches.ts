import { applyPatch, type Operation } from 'rfc6902';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { atPointer, parsePointer } from '../../kernel/json-pointer';
import { jsonBytes } from '../../kernel/limits';
import { toJsonDocument } from '../../platform/documents/json-document';

/** Operations of one JSON patch at most, as Kubernetes has it. */
const MOST_OPERATIONS = 10_000;
/** Bytes that a patched object may come to: `copy` doubles what it copies, and a few of them fill any memory. */
const MOST_BYTES = 4 * 1024 * 1024;

/** A patched document, or why the patch does not apply. */
export type Patched = { value: JsonValue; carried?: string; fault?: undefined } | { value?: undefined; fault: string };

/**
 * A JSON merge patch (RFC 7396): null takes a key away, an object goes into an object, all else replaces.
 *
 * @returns also the `resourceVersion` that the patch itself carries
 */
export function mergePatch(document: JsonValue, patch: JsonValue): Patched {
  const metadata = isJsonObject(patch) && isJsonObject(patch.metadata) ? patch.metadata : {};
  return { value: merged(document, patch), ...carriedIn(metadata.resourceVersion) };
}

function merged(document: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const result: JsonObject = isJsonObject(document) ? { ...document } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue;
    if (value === null) delete result[key];
    else result[key] = merged(Object.hasOwn(result, key) ? result[key] : undefined, value);
  }
  return result;
}

const VERSION_POINTER = '/metadata/resourceVersion';

/**
 * A JSON patch (RFC 6902): all of its operations apply, or the document stays as it is.
 *
 * @returns also the `resourceVersion` that the patch itself tests or sets
 */
export function jsonPatch(document: JsonValue, patch: JsonValue): Patched {
  if (!Array.isArray(patch)) return { fault: 'expected a JSON patch to be a list of operations' };
  if (patch.length > MOST_OPERATIONS) {
    return { fault: `expected at most ${MOST_OPERATIONS} operations, got ${patch.length}` };
  }
  // The package changes what it is given, and takes an array of another realm for an object.
  const box = { document: toJsonDocument(document).document };
  let bytes = jsonBytes(document);
  let carried: JsonValue | undefined;
  for (const [index, operation] of patch.entries()) {
    const fault = operationFault(operation);
    if (fault !== undefined) return { fault: `operation ${index}: ${fault}` };
    const { op, path, from, value } = operation as JsonObject;
    bytes += op === 'copy' ? jsonBytes(atPointer(box.document, from as string)) : jsonBytes(value);
    if (bytes > MOST_BYTES) return { fault: `operation ${index}: expected at most ${MOST_BYTES} bytes, got more` };
    // Within a box, so that an operation on the whole document (path '') is like any other.
    const [error] = applyPatch(box, [
      {
        ...(operation as JsonObject),
        path: `/document${path as string}`,
        ...(from === undefined ? {} : { from: `/document${from as string}` }),
        ...(value === undefined ? {} : { value: toJsonDocument(value).document }),
      } as unknown as Operation,
    ]);
    if (error !== null && error !== undefined)
      return {
        fault: `operation ${index}: ${op as string} ${path as string} ${REASONS[error.name] ?? 'cannot be applied'}`,
      };
    if (path === VERSION_POINTER && (op === 'test' || op === 'replace' || op === 'add')) carried = value;
  }
  return { value: box.document, ...carriedIn(carried) };
}

const REASONS: Readonly<Record<string, string>> = {
  MissingError: 'names no value',
  TestError: 'found another value',
};

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  add: ['path', 'value'],
  remove: ['path'],
  replace: ['path', 'value'],
  move: ['path', 'from'],
  copy: ['path', 'from'],
  test: ['path', 'value'],
};

function operationFault(operation: JsonValue): string | undefined {
  if (!isJsonObject(operation)) return 'expected an object with op and path';
  const { op } = operation;
  if (typeof op !== 'string' || !Object.hasOwn(NEEDS, op))
    return `expected op to be one of ${Object.keys(NEEDS).join(', ')}`;
  for (const key of NEEDS[op]!) {
    if (!Object.hasOwn(operation, key)) return `expected ${op} to have the key ${key}`;
    if (key === 'value') continue;
    const pointer = operation[key];
    if (typeof pointer !== 'string' || parsePointer(pointer) === undefined)
      return `expected ${key} to be a JSON Pointer`;
    if (/(?:^|\/)(?:__proto__|constructor|prototype)(?:\/|$)/.test(pointer))
      return `expected ${key} to name no key of JavaScript's own`;
  }
  return undefined;
}

function carriedIn(version: JsonValue | undefined): { carried?: string } {
  return typeof version === 'string' && version !== '' ? { carried: version } : {};
}
