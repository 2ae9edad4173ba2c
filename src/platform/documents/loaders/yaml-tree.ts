import type * as Yaml from 'yaml';

export interface ParsedYaml {
  tree: Yaml.Document;
  lines: Yaml.LineCounter;
}

/** The composer calls itself several times for each level: at some 800 the process would end. No document is so deep. */
export const MOST_YAML_LEVELS = 200;

/**
 * The tree of a YAML text; undefined when it is too deep. As the package's own `parseDocument`, with its two steps apart:
 * the first knows how deep the text is and needs no recursion. Without its search for duplicate keys, which compares each
 * key of an object with all before it: see `findYamlFaults`.
 */
export function parseYamlTree(
  { Composer, LineCounter, Parser, YAMLParseError }: typeof Yaml,
  text: string,
  options: Yaml.ParseOptions & Yaml.DocumentOptions & Yaml.SchemaOptions,
): ParsedYaml | undefined {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  if (isTooDeep(tokens)) return undefined;
  const composer = new Composer({ ...options, uniqueKeys: false });
  const [tree, second] = composer.compose(tokens, true, text.length) as Iterable<Yaml.Document.Parsed>;
  if (tree === undefined) throw new TypeError('a YAML text has at least one document');
  if (second !== undefined) {
    const [from, to] = second.range;
    tree.errors.push(new YAMLParseError([from, to], 'MULTIPLE_DOCS', 'Source contains multiple documents'));
  }
  return { tree: tree as Yaml.Document, lines };
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
