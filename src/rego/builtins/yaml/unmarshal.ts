import { BuiltinError } from '../builtin';
import { formatFloat } from '../float-format';
import type { BuiltinBudget } from '../plan-builtin';
import { fromBigInt, numberOf } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import type { RegoValue } from '../../values/value';
import { parseYaml, type Node } from './parser';
import { Moment, resolveScalar, type ScalarValue } from './resolve';

/**
 * OPA's `yaml.unmarshal`: the first document as JSON has it; those after it must parse too.
 *
 * @throws BuiltinError where the text is no YAML, or has no form in JSON
 */
export function unmarshalYaml(text: string, budget: BuiltinBudget): RegoValue {
  budget.elements(text.length >> 1);
  const document = parseYaml(text);
  return document === undefined ? null : new Decoder(budget).value(document);
}

const isMerge = (node: Node) => node.kind === 'scalar' && node.text === '<<' && node.tag === '!!merge';

/** A key of a Go map: with its type, since 1 and "1" are two. */
type Key = { id: string; text: string };

class Decoder {
  private readonly open = new Set<Node>();
  private decoded = 0;
  private aliased = 0;
  private aliasDepth = 0;

  constructor(private readonly budget: BuiltinBudget) {}

  value(node: Node): RegoValue {
    this.count();
    switch (node.kind) {
      case 'alias':
        return this.throughAlias(node, (target) => this.value(target));
      case 'scalar':
        return toRego(decodeScalar(node));
      case 'sequence':
        return node.items.map((item) => this.value(item));
      case 'mapping':
        return this.mapping(node);
    }
  }

  private mapping(node: Node & { kind: 'mapping' }): RegoObject {
    const entries = new Map<string, [text: string, value: RegoValue]>();
    this.fill(node, entries, undefined, isStringMap(node));
    const object = new RegoObject();
    for (const [text, value] of entries.values()) object.set(text, value);
    return object;
  }

  /** @param merged the keys that are there already, where the mapping is merged into another */
  private fill(
    node: Node & { kind: 'mapping' },
    entries: Map<string, [string, RegoValue]>,
    merged: Set<string> | undefined,
    isOfStrings: boolean,
  ): void {
    const pairs = lastOfEach(mergeKeysTogether(node.pairs));
    checkUnique(pairs);
    let merge: Node | undefined;
    for (const [keyNode, valueNode] of pairs) {
      if (isMerge(keyNode)) {
        merge = valueNode;
        continue;
      }
      const key = this.key(keyNode, isOfStrings);
      if (key === undefined) continue;
      if (merged?.has(key.id)) continue;
      merged?.add(key.id);
      entries.set(key.id, [key.text, this.value(valueNode)]);
    }
    // the key of the merge itself is one that is there
    if (merge) this.merge(merge, entries, merged ?? new Set([...entries.keys(), 's<<', 'string<<']), isOfStrings);
  }

  private merge(
    node: Node,
    entries: Map<string, [string, RegoValue]>,
    merged: Set<string>,
    isOfStrings: boolean,
  ): void {
    const sources = node.kind === 'sequence' ? node.items : [node];
    for (const source of sources) {
      this.count();
      const mapping = source.kind === 'alias' ? source.target : source;
      if (mapping.kind !== 'mapping') {
        throw new BuiltinError('yaml: map merge requires map or sequence of maps as the value');
      }
      const fill = () => this.fill(mapping, entries, merged, isOfStrings);
      if (source.kind === 'alias') this.throughAlias(source, fill);
      else fill();
    }
  }

  /** undefined where a key of a map of strings has no text */
  private key(node: Node, isOfStrings: boolean): Key | undefined {
    this.count();
    const scalar = node.kind === 'alias' ? node.target : node;
    if (scalar.kind !== 'scalar') throw new BuiltinError('yaml: invalid map key');
    const value = decodeScalar(scalar);
    if (isOfStrings) return value === null ? undefined : { id: `s${scalar.text}`, text: scalar.text };
    const text = keyText(value);
    if (text === undefined) throw new BuiltinError('unsupported map key of type');
    return { id: `${typeof value}${text}`, text };
  }

  private throughAlias<T>(node: Node & { kind: 'alias' }, decode: (target: Node) => T): T {
    if (this.open.has(node)) throw new BuiltinError(`yaml: anchor '${node.name}' value contains itself`);
    this.open.add(node);
    this.aliasDepth++;
    try {
      return decode(node.target);
    } finally {
      this.aliasDepth--;
      this.open.delete(node);
    }
  }

  /** go-yaml's limit of what aliases may multiply, and the budget's. */
  private count(): void {
    this.budget.spend(1);
    this.decoded++;
    if (this.aliasDepth > 0) this.aliased++;
    if (this.aliased > 100 && this.decoded > 1000 && this.aliased / this.decoded > aliasesAllowed(this.decoded)) {
      throw new BuiltinError('yaml: document contains excessive aliasing');
    }
  }
}

function aliasesAllowed(decoded: number): number {
  const [low, high] = [400_000, 4_000_000];
  if (decoded <= low) return 0.99;
  return decoded >= high ? 0.1 : 0.99 - 0.89 * ((decoded - low) / (high - low));
}

const decodeScalar = (node: Node & { kind: 'scalar' }): ScalarValue => resolveScalar(node.tag, node.text)[1];

function toRego(value: ScalarValue): RegoValue {
  switch (typeof value) {
    case 'bigint':
      return fromBigInt(value);
    case 'number':
      if (!Number.isFinite(value)) throw new BuiltinError('json: unsupported value');
      return numberOf(Object.is(value, -0) ? '-0' : String(value));
    default:
      return value instanceof Moment ? value.text : value;
  }
}

/** The text of a key in JSON; undefined for null and moments. */
function keyText(value: ScalarValue): string | undefined {
  if (typeof value === 'number') return singleText(value);
  return value === null || value instanceof Moment ? undefined : String(value);
}

/** OPA writes fractions as keys with the digits of 32 bits. */
function singleText(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return '.nan';
  if (!Number.isFinite(single)) return single < 0 ? '-.inf' : '.inf';
  for (let digits = 1; digits < 9; digits++) {
    const shorter = Number(single.toPrecision(digits));
    if (Math.fround(shorter) === single) return formatFloat(Object.is(single, -0) ? single : shorter, 'g');
  }
  return formatFloat(Number(single.toPrecision(9)), 'g');
}

function isStringMap({ pairs }: { pairs: [Node, Node][] }): boolean {
  return pairs.every(([key]) => {
    const scalar = key.kind === 'alias' ? key.target : key;
    return scalar.kind === 'scalar' && (scalar.tag === '!!str' || scalar.tag === '!!merge');
  });
}

/** Several `<<` become one with a list, in their order. */
function mergeKeysTogether(pairs: [Node, Node][]): [Node, Node][] {
  const isMergeTag = (key: Node) => key.kind === 'scalar' && key.tag === '!!merge';
  const sources = pairs.filter(([key]) => isMergeTag(key)).map(([, value]) => value);
  const items = sources.flatMap((source) => (source.kind === 'sequence' ? source.items : [source]));
  if (sources.length === 0 || items.length < 2) return pairs;
  const first = pairs.findIndex(([key]) => isMergeTag(key));
  return pairs.flatMap((pair, index): [Node, Node][] => {
    if (index === first) return [[pair[0], { kind: 'sequence', items }]];
    return isMergeTag(pair[0]) ? [] : [pair];
  });
}

/** Of a key that comes twice the last value stays, at the place of the first; a moment may come only once. */
function lastOfEach(pairs: [Node, Node][]): [Node, Node][] {
  const seen = new Map<string, [Node, Node]>();
  const kept: [Node, Node][] = [];
  for (const [key, value] of pairs) {
    const text = key.kind === 'scalar' && key.tag !== '!!merge' && !key.isMoment ? textOrNone(key) : undefined;
    const before = text === undefined ? undefined : seen.get(text);
    if (before) {
      before[1] = value;
      continue;
    }
    const pair: [Node, Node] = [key, value];
    kept.push(pair);
    if (text !== undefined) seen.set(text, pair);
  }
  return kept;
}

function textOrNone(key: Node & { kind: 'scalar' }): string | undefined {
  try {
    return keyText(decodeScalar(key));
  } catch (error) {
    if (error instanceof BuiltinError) return undefined;
    throw error;
  }
}

function checkUnique(pairs: [Node, Node][]): void {
  const names = pairs.map(
    ([key]) => `${key.kind} ${key.kind === 'scalar' ? key.text : key.kind === 'alias' ? key.name : ''}`,
  );
  if (new Set(names).size < names.length) throw new BuiltinError('yaml: mapping key already defined');
}
