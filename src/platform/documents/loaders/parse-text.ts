import type * as Yaml from 'yaml';
import { FailureType, faultsToError } from '../../../kernel/failures';
import { placeText } from '../../../kernel/fault-text';
import type { JsonValue } from '../../../kernel/json';
import { pointerKeys } from '../../../kernel/json-pointer';
import { JsonTextError, parseJsonText, type TextFault } from '../json-text';
import { findYamlFaults } from './yaml-faults';
import { MOST_YAML_LEVELS, parseYamlTree, parseYamlTrees, type ParsedYaml } from './yaml-tree';
import { configInvalid } from './read-bytes';

export interface ParsedText {
  document: JsonValue;
  lineOf(pointer: string): number | undefined;
  columnOf(pointer: string): number | undefined;
}

/** Loaded when it is needed, which for JSON without a fault is never: loading takes longer than a policy's evaluation. */
function yaml(): typeof Yaml {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- whoever asks for a line cannot wait for an import
  return require('yaml') as typeof Yaml;
}

/** JSON as `parseJsonText` reads it, with lines; throws GateError ConfigInvalid with all faults. */
export function parseJson(path: string, text: string): ParsedText {
  let document: JsonValue;
  try {
    document = parseJsonText(text);
  } catch (error) {
    if (error instanceof JsonTextError) throw refusal(path, error.faults);
    throw error;
  }
  // JSON is YAML, nearly: YAML's parser knows lines, and takes its time; a document without a fault needs none.
  let parsed: { yaml?: ParsedYaml } | undefined;
  const positionOf = (pointer: string): Position | undefined => {
    parsed ??= { yaml: parseYamlTree(yaml(), text, { logLevel: 'silent' }) };
    return parsed.yaml && positionIn(parsed.yaml, pointer);
  };
  return withPlaces(document, positionOf);
}

/**
 * YAML 1.2 of one document, core schema: keys are texts, no tags of its own, no duplicate keys, every number as it is
 * written, and no aliases that grow without measure. Throws GateError ConfigInvalid with all faults.
 */
export function parseYaml(path: string, text: string): ParsedText {
  const parsed = parseYamlTree(yaml(), text, YAML_OPTIONS);
  if (parsed === undefined) throw tooDeep(path);
  const faults = treeFaults(parsed);
  if (faults.length > 0) throw refusal(path, faults);
  return toText(path, parsed);
}

/**
 * Every document of a YAML text, each as `parseYaml` reads one; those that are empty are left out. Throws GateError
 * ConfigInvalid with all faults of all documents.
 */
export function parseYamlDocuments(path: string, text: string): ParsedText[] {
  const parsed = parseYamlTrees(yaml(), text, YAML_OPTIONS);
  if (parsed === undefined) throw tooDeep(path);
  const faults = parsed.flatMap(treeFaults);
  if (faults.length > 0) throw refusal(path, faults);
  const documents = parsed.map((each) => toText(path, each));
  const some = documents.filter(({ document }) => document !== null);
  return some.length === 0 ? documents.slice(0, 1) : some;
}

const YAML_OPTIONS = { logLevel: 'error', stringKeys: true } as const;

function tooDeep(path: string): Error {
  return configInvalid(path, `expected at most ${MOST_YAML_LEVELS} levels, got more`);
}

function treeFaults({ tree, lines }: ParsedYaml): TextFault[] {
  const placeAt = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  return [
    // What is a warning to the parser, such as an unknown tag, would change what the document means.
    ...[...tree.errors, ...tree.warnings].map(({ pos, message }) => {
      const [sentence = ''] = message.split(/ at line \d+|\n/);
      return { sentence, ...placeAt(pos[0]) };
    }),
    ...findYamlFaults(yaml(), tree).map(({ sentence, offset }) => ({ sentence, ...placeAt(offset) })),
  ];
}

function toText(path: string, parsed: ParsedYaml): ParsedText {
  try {
    return withPlaces(parsed.tree.toJS({ maxAliasCount: 100 }) as JsonValue, (pointer) => positionIn(parsed, pointer));
  } catch (error) {
    throw configInvalid(path, `expected aliases that stay small: ${(error as Error).message}`);
  }
}

function refusal(path: string, faults: readonly TextFault[]): Error {
  return faultsToError(
    faults.map(({ sentence, line, column }) => {
      const where = placeText(path, line, column);
      return { type: FailureType.ConfigInvalid, message: `${where}: ${sentence}`, where };
    }),
  );
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

/** As the YAML library counts, both from 1. */
type Position = ReturnType<Yaml.LineCounter['linePos']>;

function withPlaces(document: JsonValue, positionOf: (pointer: string) => Position | undefined): ParsedText {
  return {
    document,
    lineOf: (pointer) => positionOf(pointer)?.line,
    columnOf: (pointer) => positionOf(pointer)?.col,
  };
}

/** The place of what a JSON Pointer names, else of the innermost thing around it. */
function positionIn({ tree, lines }: ParsedYaml, pointer: string): Position | undefined {
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
  return offset === undefined ? undefined : lines.linePos(offset);
}
