import { extname } from 'node:path';
import type { JsonValue } from '../../json';
import type { PklOptions } from './evaluate-pkl';
import { configInvalid, decodeText, readBytes } from './read-bytes';

export interface LoadedDocument {
  document: JsonValue;
  /** the file's own bytes, for its digest */
  bytes: Uint8Array;
  /** the line of a JSON Pointer, for JSON and YAML; PKL names lines in its own messages */
  lineOf?(pointer: string): number | undefined;
}

/**
 * A document from a .pkl, .json, .yaml or .yml file in UTF-8 of at most 1 MiB. What it holds is not checked here.
 *
 * @throws GateError ConfigInvalid that names the file, and the line where one is to blame
 */
export async function loadDocument(path: string, options: PklOptions = {}): Promise<LoadedDocument> {
  const kind = extname(path).toLowerCase();
  if (!['.pkl', '.json', '.yaml', '.yml'].includes(kind)) {
    throw configInvalid(path, 'expected a file that ends in .pkl, .json, .yaml or .yml');
  }
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
    return { document, bytes };
  }
  const { parseJson, parseYaml } = await import('./parse-text.js');
  return { ...(kind === '.json' ? parseJson : parseYaml)(path, text), bytes };
}
