import { parse as parseLossless } from 'lossless-json';
import type * as Yaml from 'yaml';
import { FailureType, faultsToError } from '../../../kernel/failures';
import type { JsonValue } from '../../../kernel/json';
import { pointerKeys } from '../../../kernel/json-pointer';
import { configInvalid } from './read-bytes';

export interface ParsedText {
  document: JsonValue;
  lineOf(pointer: string): number | undefined;
}

/** Loaded when it is needed, which for JSON without a fault is never: loading takes longer than a policy's evaluation. */
function yaml(): typeof Yaml {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- whoever asks for a line cannot wait for an import
  return require('yaml') as typeof Yaml;
}

/** JSON as RFC 8259 has it, with duplicate keys refused; throws GateError ConfigInvalid. */
export function parseJson(path: string, text: string): ParsedText {
  let document: JsonValue;
  try {
    document = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw syntaxError(path, text, error);
  }
  // JSON is YAML, nearly: YAML's parser knows lines and duplicate keys, and takes its time; a good document needs neither.
  let parsed: { tree: Yaml.Document; lines: Yaml.LineCounter } | undefined;
  const asYaml = () => (parsed ??= parseDocument(text, { logLevel: 'silent', uniqueKeys: false }));
  if (hasDuplicateKey(text, document)) {
    const { tree, lines } = parseDocument(text, { logLevel: 'silent' });
    refuse(
      path,
      lines,
      tree.errors.filter(({ code }) => code === 'DUPLICATE_KEY'),
    );
  }
  return { document, lineOf: (pointer) => lineIn(asYaml(), pointer) };
}

/** In JSON a text before a colon is a key, and only that is: there are as many as members, unless one stood twice. */
function hasDuplicateKey(text: string, document: JsonValue): boolean {
  // Every text is matched whole, keys or not: a search for keys alone would begin again at each escaped quote.
  let keys = 0;
  for (const [, colon] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g)) if (colon !== undefined) keys += 1;
  return keys !== memberCount(document);
}

/** Without recursion: a document of a megabyte may be half a million levels deep. */
function memberCount(document: JsonValue): number {
  let count = 0;
  const left: JsonValue[] = [document];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const members = Object.values(value);
    if (!Array.isArray(value)) count += members.length;
    for (const member of members) left.push(member);
  }
  return count;
}

/** V8 does not always say where, and quotes the document, where a secret could be; lossless-json does neither. */
function syntaxError(path: string, text: string, cause: unknown): Error {
  try {
    parseLossless(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    const position = /at position (\d+)$/.exec(message)?.[1];
    if (position !== undefined) {
      const line = text.slice(0, Number(position)).split('\n').length;
      const reason = message.replace(/ at position \d+$/, '');
      return configInvalid(`${path}:${line}`, `expected JSON, but it cannot be parsed: ${reason}`);
    }
  }
  return configInvalid(path, 'expected JSON, but it cannot be parsed', cause);
}

/**
 * YAML 1.2 of one document, core schema: keys are texts, no tags of its own, no duplicate keys, and no aliases that grow
 * without measure. Throws GateError ConfigInvalid with all faults.
 */
export function parseYaml(path: string, text: string): ParsedText {
  const parsed = parseDocument(text, { logLevel: 'error', stringKeys: true });
  const { tree, lines } = parsed;
  // What is a warning to the parser, such as an unknown tag, would change what the document means.
  refuse(path, lines, [...tree.errors, ...tree.warnings]);
  try {
    return {
      document: tree.toJS({ maxAliasCount: 100 }) as JsonValue,
      lineOf: (pointer) => lineIn(parsed, pointer),
    };
  } catch (error) {
    throw configInvalid(path, `expected aliases that stay small: ${(error as Error).message}`);
  }
}

function refuse(path: string, lines: Yaml.LineCounter, errors: readonly Yaml.YAMLError[]): void {
  if (errors.length === 0) return;
  throw faultsToError(
    errors.map((error) => {
      const where = `${path}:${lines.linePos(error.pos[0]).line}`;
      const [sentence = ''] = error.message.split(/ at line \d+|\n/);
      const message =
        error.code === 'DUPLICATE_KEY' ? `${where}: the same key is twice in one object` : `${where}: ${sentence}`;
      return { type: FailureType.ConfigInvalid, message, where };
    }),
  );
}

function parseDocument(text: string, options: Yaml.ParseOptions & Yaml.DocumentOptions & Yaml.SchemaOptions) {
  const lines = new (yaml().LineCounter)();
  return { tree: yaml().parseDocument(text, { ...options, lineCounter: lines }) as Yaml.Document, lines };
}

const pairsByKey = new WeakMap<Yaml.YAMLMap | Yaml.YAMLSeq, ReadonlyMap<string, object>>();

/** The pairs of a collection by their keys, the first of each; made once, since many faults may lie in one collection. */
function pairsOf(node: Yaml.YAMLMap | Yaml.YAMLSeq): ReadonlyMap<string, object> {
  let pairs = pairsByKey.get(node);
  if (pairs === undefined) {
    const found = new Map<string, object>();
    for (const item of node.items as object[]) {
      if (!('key' in item)) continue;
      const key = String(item.key);
      if (!found.has(key)) found.set(key, item);
    }
    pairs = found;
    pairsByKey.set(node, pairs);
  }
  return pairs;
}

/** The line of what a JSON Pointer names, else of the innermost thing around it. */
function lineIn(
  { tree, lines }: { tree: Yaml.Document; lines: Yaml.LineCounter },
  pointer: string,
): number | undefined {
  const { isAlias, isCollection, isNode } = yaml();
  let offset = isNode(tree.contents) ? tree.contents.range?.[0] : undefined;
  let node: unknown = tree.contents;
  for (const key of pointerKeys(pointer)) {
    if (isAlias(node)) node = node.resolve(tree);
    if (!isCollection(node)) break;
    const pair = pairsOf(node).get(key);
    const next: unknown = pair === undefined ? node.get(Number(key), true) : (pair as { key: unknown }).key;
    if (!isNode(next)) break;
    offset = next.range?.[0] ?? offset;
    node = pair === undefined ? next : (pair as { value: unknown }).value;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}
