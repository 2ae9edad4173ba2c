import { extname } from 'node:path';
import type { JsonValue } from '../../../kernel/json';
import { placeInPkl } from '../pkl-places';
import type { PklOptions } from './evaluate-pkl';
import { configInvalid, decodeText, LARGEST_BYTES, readBytes } from './read-bytes';

const KINDS: readonly string[] = ['.pkl', '.json', '.yaml', '.yml'];

export interface LoadedDocument {
  document: JsonValue;
  /** the file's own bytes, for its digest */
  bytes: Uint8Array;
  /** the line of a JSON Pointer, or of the nearest thing around it */
  lineOf?(pointer: string): number | undefined;
  /** the column in that line */
  columnOf?(pointer: string): number | undefined;
}

/**
 * A document from a .pkl, .json, .yaml or .yml file in UTF-8 of at most 1 MiB. What it holds is not checked here.
 *
 * @throws GateError ConfigInvalid that names the file, and the line where one is to blame
 */
export async function loadDocument(path: string, options: PklOptions = {}): Promise<LoadedDocument> {
  const kind = await kindOfFile(path);
  const bytes = await readBytes(path);
  const text = decodeText(path, bytes);
  // Each parser is loaded only when a file needs it: a command's start is short.
  if (kind === '.pkl') {
    const { evaluatePkl } = await import('./evaluate-pkl.js');
    const document = await evaluatePkl(path, options);
    // PKL reads the file by itself: the digest must be that of what it read.
    if (!Buffer.from(bytes).equals(await readBytes(path))) {
      throw configInvalid(path, 'the file changed while it was read; load it again');
    }
    return { document, bytes, ...inPkl(text) };
  }
  return { ...(await parseText(path, kind, text)), bytes };
}

/** A file's documents, several of them where it is YAML that has them. */
export interface LoadedDocuments {
  documents: Omit<LoadedDocument, 'bytes'>[];
  /** of the whole file */
  bytes: Uint8Array;
}

/**
 * All documents of a .json, .yaml or .yml file, parted by `---`, or the one of a .pkl file. What they hold is not checked
 * here.
 *
 * @param options.largestBytes whole MiB; @default 1 MiB
 * @throws GateError ConfigInvalid that names the file, and the line where one is to blame
 */
export async function loadDocuments(
  path: string,
  { largestBytes = LARGEST_BYTES }: { largestBytes?: number } = {},
): Promise<LoadedDocuments> {
  const kind = await kindOfFile(path);
  if (kind === '.pkl') {
    const { bytes, ...loaded } = await loadDocument(path);
    return { documents: [loaded], bytes };
  }
  const bytes = await readBytes(path, largestBytes);
  const { parseJson, parseYamlDocuments } = await import('./parse-text.js');
  const text = decodeText(path, bytes);
  return { documents: kind === '.json' ? [parseJson(path, text)] : parseYamlDocuments(path, text), bytes };
}

/**
 * The documents of the text of a .json, .yaml or .yml file, as `loadDocuments` reads them.
 *
 * @throws GateError ConfigInvalid that names the file, and the line where one is to blame
 */
export async function parseDocuments(bytes: Uint8Array, file: string): Promise<LoadedDocuments['documents']> {
  const { parseJson, parseYamlDocuments } = await import('./parse-text.js');
  const text = decodeText(file, bytes);
  return extname(file).toLowerCase() === '.json' ? [parseJson(file, text)] : parseYamlDocuments(file, text);
}

/**
 * A document from the bytes of such a file that lies elsewhere. A .pkl file imports nothing but the package's modules.
 *
 * @param where its URL; the end says what kind it is
 * @throws GateError ConfigInvalid that names the URL, and the line where one is to blame
 */
export async function parseDocument(bytes: Uint8Array, where: string): Promise<LoadedDocument> {
  const kind = kindOf(where);
  if (bytes.length > LARGEST_BYTES) throw configInvalid(where, `expected at most 1 MiB, got ${bytes.length} bytes`);
  const text = decodeText(where, bytes);
  if (kind !== '.pkl') return { ...(await parseText(where, kind, text)), bytes };
  const { evaluatePklText } = await import('./evaluate-pkl.js');
  return { document: await evaluatePklText(bytes, where), bytes, ...inPkl(text) };
}

/** What PKL has nothing against may still be a fault: its place is where the text sets the value. */
function inPkl(text: string): Required<Pick<LoadedDocument, 'lineOf' | 'columnOf'>> {
  return {
    lineOf: (pointer) => placeInPkl(text, pointer).line,
    columnOf: (pointer) => placeInPkl(text, pointer).column,
  };
}

/**
 * The YAML, or JSON, that bytes of any other place hold. Their size is the caller's to limit.
 *
 * @param where what they are or where, for messages
 * @throws GateError ConfigInvalid with every fault, and its line
 */
export async function parseYamlBytes(where: string, bytes: Uint8Array): Promise<LoadedDocument> {
  return { ...(await parseText(where, '.yaml', decodeText(where, bytes))), bytes };
}

/**
 * The JSON that bytes of any other place hold: standard input, an object in a store. Their size is the caller's to limit.
 *
 * @param where what they are or where, for messages
 * @throws GateError ConfigInvalid with every fault, and its line
 */
export async function parseJsonBytes(where: string, bytes: Uint8Array): Promise<JsonValue> {
  return (await parseText(where, '.json', decodeText(where, bytes))).document;
}

/** What is not there is missing, whatever its name ends in. */
async function kindOfFile(path: string): Promise<string> {
  if (!KINDS.includes(extname(path).toLowerCase())) await readBytes(path);
  return kindOf(path);
}

function kindOf(path: string): string {
  const kind = extname(path).toLowerCase();
  if (KINDS.includes(kind)) return kind;
  throw configInvalid(path, 'expected a file that ends in .pkl, .json, .yaml or .yml');
}

async function parseText(path: string, kind: string, text: string): Promise<Omit<LoadedDocument, 'bytes'>> {
  const { parseJson, parseYaml } = await import('./parse-text.js');
  return (kind === '.json' ? parseJson : parseYaml)(path, text);
}
