import { BuiltinError } from '../builtin';
import { resolveScalar } from './resolve';
import { scanYaml, type Token, type TokenKind } from './scanner';

/** A node as go-yaml keeps it. */
export type Node =
  | { kind: 'scalar'; tag: string; text: string; isMoment?: boolean }
  | { kind: 'alias'; name: string; target: Node }
  | { kind: 'sequence'; items: Node[] }
  | { kind: 'mapping'; pairs: [key: Node, value: Node][] };

/**
 * The first document; those after it have to be in order too.
 *
 * @returns undefined where there is none
 * @throws BuiltinError where go-yaml refuses the text
 */
export function parseYaml(text: string): Node | undefined {
  // eslint-disable-next-line no-control-regex -- these are meant
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/.test(text)) {
    throw new BuiltinError('yaml: control characters are not allowed');
  }
  return new Parser(scanYaml(text)).documents();
}

interface Properties {
  anchor?: string;
  /** empty where there is none */
  tag: string;
}

const LONG = 'tag:yaml.org,2002:';
const shortTag = (tag: string) => (tag.startsWith(LONG) ? `!!${tag.slice(LONG.length)}` : tag);

class Parser {
  private at = 0;
  /** go-yaml keeps them from one document to the next */
  private readonly anchors = new Map<string, Node>();
  private handles = new Map<string, string>();

  constructor(private readonly tokens: readonly Token[]) {}

  documents(): Node | undefined {
    let first: Node | undefined;
    for (let isFirst = true; ; isFirst = false) {
      if (!isFirst) while (this.is('document-end')) this.at++;
      if (this.is('stream-end')) return first;
      const isBare = isFirst && !this.is('version-directive', 'tag-directive', 'document-start');
      this.directives();
      if (!isBare && !this.is('document-start')) fail('did not find expected <document start>');
      if (!isBare) this.at++;
      const ends: TokenKind[] = ['version-directive', 'tag-directive', 'document-start', 'document-end', 'stream-end'];
      const node = !isBare && this.is(...ends) ? emptyNode() : this.node(true, false);
      first ??= node;
      if (this.is('document-end')) this.at++;
    }
  }

  private get token(): Token {
    return this.tokens[this.at]!;
  }

  private is(...kinds: TokenKind[]): boolean {
    return kinds.includes(this.token.kind);
  }

  private take(kind: TokenKind): boolean {
    const isThere = this.is(kind);
    if (isThere) this.at++;
    return isThere;
  }

  private directives(): void {
    this.handles = new Map();
    let hasVersion = false;
    for (; this.is('version-directive', 'tag-directive'); this.at++) {
      const { kind, text, suffix } = this.token;
      if (kind === 'version-directive') {
        const [major, minor] = text.split('.').map(Number);
        if (hasVersion || major !== 1 || minor !== 1) fail('found incompatible YAML document');
        hasVersion = true;
      } else {
        if (this.handles.has(text)) fail('found duplicate %TAG directive');
        this.handles.set(text, suffix);
      }
    }
    if (!this.handles.has('!')) this.handles.set('!', '!');
    if (!this.handles.has('!!')) this.handles.set('!!', LONG);
  }

  private node(isBlock: boolean, mayBeIndentless: boolean): Node {
    if (this.is('alias')) {
      const { text } = this.token;
      const target = this.anchors.get(text);
      if (!target) fail(`unknown anchor '${text}' referenced`);
      this.at++;
      return { kind: 'alias', name: text, target };
    }
    const properties = this.properties();
    if (mayBeIndentless && this.is('block-entry')) return this.indentless(properties);
    switch (this.token.kind) {
      case 'scalar': {
        const { text, isPlain } = this.token;
        this.at++;
        return this.anchored(properties, scalarNode(text, isPlain, properties.tag));
      }
      case 'flow-sequence-start':
        return this.flowSequence(properties);
      case 'flow-mapping-start':
        return this.flowMapping(properties);
      case 'block-sequence-start':
        if (isBlock) return this.blockSequence(properties);
        break;
      case 'block-mapping-start':
        if (isBlock) return this.blockMapping(properties);
        break;
      default:
    }
    if (properties.anchor === undefined && properties.tag === '') fail('did not find expected node content');
    return this.anchored(properties, scalarNode('', true, properties.tag));
  }

  private properties(): Properties {
    const properties: Properties = { tag: '' };
    let hasTag = false;
    while ((this.is('anchor') && properties.anchor === undefined) || (this.is('tag') && !hasTag)) {
      const { kind, text, suffix } = this.token;
      this.at++;
      if (kind === 'anchor') properties.anchor = text;
      else {
        hasTag = true;
        properties.tag = text === '' ? suffix : this.longTag(text, suffix);
      }
    }
    return properties;
  }

  private longTag(handle: string, suffix: string): string {
    const prefix = this.handles.get(handle);
    if (prefix === undefined || prefix + suffix === '') fail('found undefined tag handle');
    return prefix + suffix;
  }

  private anchored<T extends Node>({ anchor }: Properties, node: T): T {
    if (anchor !== undefined) this.anchors.set(anchor, node);
    return node;
  }

  private blockSequence(properties: Properties): Node {
    const sequence = this.anchored(properties, { kind: 'sequence' as const, items: [] as Node[] });
    this.at++;
    while (this.take('block-entry')) {
      const isEmpty = this.is('block-entry', 'block-end');
      sequence.items.push(isEmpty ? emptyNode() : this.node(true, false));
    }
    if (!this.take('block-end')) fail("did not find expected '-' indicator");
    return sequence;
  }

  /** A sequence that is no deeper than its key. */
  private indentless(properties: Properties): Node {
    const sequence = this.anchored(properties, { kind: 'sequence' as const, items: [] as Node[] });
    while (this.take('block-entry')) {
      const isEmpty = this.is('block-entry', 'key', 'value', 'block-end');
      sequence.items.push(isEmpty ? emptyNode() : this.node(true, false));
    }
    return sequence;
  }

  private blockMapping(properties: Properties): Node {
    const mapping = this.anchored(properties, { kind: 'mapping' as const, pairs: [] as [Node, Node][] });
    this.at++;
    const part = () => (this.is('key', 'value', 'block-end') ? emptyNode() : this.node(true, true));
    while (this.take('key')) {
      const key = part();
      mapping.pairs.push([key, this.take('value') ? part() : emptyNode()]);
    }
    if (!this.take('block-end')) fail('did not find expected key');
    return mapping;
  }

  private flowSequence(properties: Properties): Node {
    const sequence = this.anchored(properties, { kind: 'sequence' as const, items: [] as Node[] });
    this.at++;
    for (let isFirst = true; !this.is('flow-sequence-end'); isFirst = false) {
      if (!isFirst && !this.take('flow-entry')) fail("did not find expected ',' or ']'");
      if (this.is('flow-sequence-end')) break;
      sequence.items.push(this.take('key') ? this.singlePair() : this.node(false, false));
    }
    this.at++;
    return sequence;
  }

  /** `[a: b]`: a mapping of one pair. */
  private singlePair(): Node {
    let key: Node;
    if (this.is('value', 'flow-entry', 'flow-sequence-end')) {
      key = emptyNode();
      // go-yaml passes over the token, whatever it is
      this.at++;
    } else key = this.node(false, false);
    const hasValue = this.take('value') && !this.is('flow-entry', 'flow-sequence-end');
    return { kind: 'mapping', pairs: [[key, hasValue ? this.node(false, false) : emptyNode()]] };
  }

  private flowMapping(properties: Properties): Node {
    const mapping = this.anchored(properties, { kind: 'mapping' as const, pairs: [] as [Node, Node][] });
    this.at++;
    for (let isFirst = true; !this.is('flow-mapping-end'); isFirst = false) {
      if (!isFirst && !this.take('flow-entry')) fail("did not find expected ',' or '}'");
      if (this.is('flow-mapping-end')) break;
      if (!this.take('key')) {
        mapping.pairs.push([this.node(false, false), emptyNode()]);
        continue;
      }
      const isKeyEmpty = this.is('value', 'flow-entry', 'flow-mapping-end');
      const key = isKeyEmpty ? emptyNode() : this.node(false, false);
      const hasValue = this.take('value') && !this.is('flow-entry', 'flow-mapping-end');
      mapping.pairs.push([key, hasValue ? this.node(false, false) : emptyNode()]);
    }
    this.at++;
    return mapping;
  }
}

const emptyNode = (): Node => ({ kind: 'scalar', tag: '!!null', text: '' });

function scalarNode(text: string, isPlain: boolean, written: string): Node {
  if (written !== '' && written !== '!') return { kind: 'scalar', tag: shortTag(written), text };
  if (!isPlain) return { kind: 'scalar', tag: '!!str', text };
  if (text === '<<') return { kind: 'scalar', tag: '!!merge', text };
  const [tag] = resolveScalar('', text);
  // OPA keeps a moment as it is written
  return tag === '!!timestamp' ? { kind: 'scalar', tag: '!!str', text, isMoment: true } : { kind: 'scalar', tag, text };
}

function fail(problem: string): never {
  throw new BuiltinError(`yaml: ${problem}`);
}
