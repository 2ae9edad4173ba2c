import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { collecting } from '../../kernel/collect-faults';
import { faultsToError, type Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { whyUnread } from '../../kernel/why-unread';
import { configInvalid, decodeText, readBytes } from '../../platform/documents/loaders/read-bytes';
import { faultAt, type DocumentPlace } from '../../platform/documents/validate';
import { checkObject, unknownFields } from '../kinds/check-object';
import { objectName, type PlanObject } from '../object';

/** A file of objects at most: thousands of plans, and far below what holds up a process for long. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Where an object without a namespace is. */
export const DEFAULT_NAMESPACE = 'default';

const ENDINGS = ['.yaml', '.yml', '.json'];

/** One document of a file, as it was written. */
export interface SourceObject {
  document: JsonValue;
  where: DocumentPlace;
}

export interface ReadOptions {
  /** of objects that name none. @default 'default' */
  namespace?: string;
  /** the bytes of standard input, which the path `-` names */
  standardInput?: () => Promise<Uint8Array>;
}

/** Objects that were read, and what in them is kept without being known. */
export interface ReadObjects {
  objects: PlanObject[];
  /** sentences about keys that no schema knows, each with its place */
  warnings: string[];
}

/**
 * The objects of files, of the folders' files that end in .yaml, .yml or .json, and of standard input (`-`): YAML of any number
 * of documents, or JSON; a list, or an object whose kind ends in `List`, counts as its items.
 *
 * @throws GateError ConfigInvalid with every fault of every file, and an object that is there twice
 */
export async function readObjects(paths: readonly string[], options: ReadOptions = {}): Promise<ReadObjects> {
  const faults: Fault[] = [];
  const sources: SourceObject[] = [];
  for (const path of paths) {
    await collecting(faults, async () => {
      for (const file of await filesOf(path)) {
        await collecting(faults, async () => void sources.push(...(await readSource(file, options))));
      }
    });
  }
  const read = checkSources(sources, options);
  const all = [...faults, ...read.faults];
  if (all.length > 0) throw faultsToError(all);
  return read;
}

/** The documents of one file, with what is a list taken apart; not checked. */
export async function readSource(path: string, { standardInput }: ReadOptions): Promise<SourceObject[]> {
  if (path === '-' && standardInput === undefined) throw configInvalid(path, 'expected a file, got standard input');
  const where = path === '-' ? 'standard input' : path;
  const bytes = path === '-' ? await standardInput!() : await readBytes(path, MOST_BYTES);
  if (bytes.length > MOST_BYTES) throw configInvalid(where, `expected at most 32 MiB, got ${bytes.length} bytes`);
  const text = decodeText(where, bytes);
  const { parseJson, parseYamlDocuments } = await import('../../platform/documents/loaders/parse-text.js');
  const parsed = extname(path) === '.json' ? [parseJson(where, text)] : parseYamlDocuments(where, text);
  return parsed.flatMap(({ document, ...places }) => partsOf({ document, where: { file: where, ...places } }));
}

/** Checks documents as objects; every fault of all of them is told, with file and line. */
export function checkSources(
  sources: readonly SourceObject[],
  { namespace = DEFAULT_NAMESPACE }: ReadOptions = {},
): ReadObjects & { faults: Fault[] } {
  const faults: Fault[] = [];
  const warnings: string[] = [];
  const objects: PlanObject[] = [];
  const places = new Map<string, DocumentPlace>();
  for (const { document, where } of sources) {
    const placed = inNamespace(document, namespace);
    const { object, kind, faults: found } = checkObject(placed);
    faults.push(...found.map(({ pointer, sentence }) => faultAt(where, pointer, sentence)));
    if (object === undefined || kind === undefined) continue;
    for (const field of unknownFields(kind, placed as JsonObject)) {
      warnings.push(
        faultAt(where, '', `unknown field ${field} of ${objectName(object)} is kept, and read by nothing here`).message,
      );
    }
    const name = objectName(object);
    const first = places.get(name);
    if (first === undefined) objects.push(object);
    else faults.push(faultAt(where, '/metadata/name', `${name} is there twice, in ${nameOfPlace(first)} too`));
    places.set(name, first ?? where);
  }
  return { objects, warnings, faults };
}

/** The object in a namespace, unless it names one itself. */
export function inNamespace(document: JsonValue, namespace: string): JsonValue {
  if (!isJsonObject(document) || !isJsonObject(document.metadata)) return document;
  if (document.metadata.namespace !== undefined) return document;
  return { ...document, metadata: { ...document.metadata, namespace } };
}

function nameOfPlace({ file, lineOf, columnOf }: DocumentPlace): string {
  return placeText(file, lineOf?.('/metadata/name'), columnOf?.('/metadata/name'));
}

/** Items of a list, or of an object that is one; the places stay those of the file. */
function partsOf({ document, where }: SourceObject): SourceObject[] {
  const [items, at] =
    isJsonObject(document) && /List$/.test(String(document.kind)) && Array.isArray(document.items)
      ? [document.items, '/items']
      : [document, ''];
  if (!Array.isArray(items)) return [{ document, where }];
  return items.flatMap((item, index) => {
    const within = (pointer: string): string => `${at}/${index}${pointer}`;
    const place: DocumentPlace = {
      file: where.file,
      lineOf: (pointer) => where.lineOf?.(within(pointer)),
      columnOf: (pointer) => where.columnOf?.(within(pointer)),
    };
    return partsOf({ document: item, where: place });
  });
}

async function filesOf(path: string): Promise<string[]> {
  const found = path === '-' ? undefined : await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return [path];
  const all = await readdir(path).catch((error: unknown) => {
    throw configInvalid(path, `expected a folder, but ${whyUnread(error)}`, error);
  });
  const names = all.filter((name) => ENDINGS.includes(extname(name).toLowerCase())).sort();
  if (names.length === 0)
    throw configInvalid(path, `expected files that end in ${ENDINGS.join(', ')}, but there are none`);
  return names.map((name) => join(path, name));
}
