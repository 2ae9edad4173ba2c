import type * as Yaml from 'yaml';

export interface ParsedYaml {
  tree: Yaml.Document;
  lines: Yaml.LineCounter;
}

type YamlOptions = Yaml.ParseOptions & Yaml.DocumentOptions & Yaml.SchemaOptions;

/** The composer calls itself several times for each level: at some 800 the process would end. No document is so deep. */
export const MOST_YAML_LEVELS = 200;

/**
 * The tree of a YAML text; undefined when it is too deep. As the package's own `parseDocument`, with its two steps apart:
 * the first knows how deep the text is and needs no recursion. Without its search for duplicate keys, which compares each
 * key of an object with all before it: see `findYamlFaults`.
 */
export function parseYamlTree(yaml: typeof Yaml, text: string, options: YamlOptions): ParsedYaml | undefined {
  const [first, second] = parseYamlTrees(yaml, text, options) ?? [];
  if (second !== undefined) {
    const [from = 0, to = from] = second.tree.range ?? [];
    const error = new yaml.YAMLParseError([from, to], 'MULTIPLE_DOCS', 'Source contains multiple documents');
    first!.tree.errors.push(error);
  }
  return first;
}

/** The trees of all documents of a YAML text, at least one; undefined when it is too deep. */
export function parseYamlTrees(
  { Composer, LineCounter, Parser }: typeof Yaml,
  text: string,
  options: YamlOptions,
): ParsedYaml[] | undefined {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  if (isTooDeep(tokens)) return undefined;
  const composer = new Composer({ ...options, uniqueKeys: false });
  return [...composer.compose(tokens, true, text.length)].map((tree) => ({ tree: tree as Yaml.Document, lines }));
}

/** Level by level, without recursion. */
function isTooDeep(tokens: readonly Yaml.CST.Token[]): boolean {
  let level: readonly (Yaml.CST.Token | null | undefined)[] = tokens;
  // A document is a level of its own.
  for (let depth = -1; level.length > 0; depth += 1) {
    if (depth > MOST_YAML_LEVELS) return true;
    const below: (Yaml.CST.Token | null | undefined)[] = [];
    for (const token of level) {
      if (!token) continue;
      if (token.type === 'document') below.push(token.value);
      else if ('items' in token) for (const { key, value } of token.items) below.push(key, value);
    }
    level = below;
  }
  return false;
}
