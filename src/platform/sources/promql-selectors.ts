import { createRequire } from 'node:module';
import type { SyntaxNode } from '@lezer/common';
import type { LRParser } from '@lezer/lr';
import { BoundedMap } from '../../kernel/bounded-map';

// The package ships CommonJS too, but its types claim to be ESM only, so TypeScript refuses a plain import.
const { parser } = createRequire(__filename)('@prometheus-io/lezer-promql') as { parser: LRParser };

/** One vector selector of a query, by which the age of what the query used can be asked for. */
export interface PromqlSelector {
  /** as it is written, without ranges and modifiers: `errors_total{job="a"}` */
  text: string;
  /** all offsets around it, milliseconds; negative ones look ahead */
  offsetMs: number;
}

/** What can be said of the ages behind an instant query without asking for them. */
export interface PromqlAges {
  /** each once; those at a fixed `@` time are left out, since their age says nothing about now */
  selectors: readonly PromqlSelector[];
  /** recording rules among them by the convention of their names: the age is that of the rule's last evaluation */
  recordingRules: readonly string[];
  /** why ages cannot be worked out, so that the author has to give a `timestampQuery`; absent when they can */
  unclear?: string;
}

/** Queries whose parameters differ are parsed once each; the least recently used goes first. */
const parsed = new BoundedMap<string, PromqlAges>(1_000);

/** More than this many questions for one fact would weigh on the source. */
const MOST_SELECTORS = 16;

/**
 * The selectors of a PromQL query with the offsets around them, those inside `x[5m]` and subqueries too
 * (https://prometheus.io/docs/prometheus/latest/querying/basics/). `@ start()` and `@ end()` are now, as the query is an
 * instant query. Throws nothing: what is not PromQL, MetricsQL for one, is `unclear`. A query is parsed once.
 */
export function promqlAges(query: string): PromqlAges {
  const known = parsed.get(query);
  if (known !== undefined) return known;
  const ages = parseAges(query);
  parsed.set(query, ages);
  return ages;
}

function parseAges(query: string): PromqlAges {
  const written: SyntaxNode[] = [];
  const modifiers: Modifier[] = [];
  let unclear: string | undefined;
  parser.parse(query).iterate({
    enter: ({ node }) => {
      if (node.type.isError) unclear ??= 'it is not plain PromQL';
      else if (/^Absent/.test(node.name)) unclear ??= `${textOf(node, query)} answers when there are no samples`;
      else if (node.name === 'BinaryExpr' && isFallback(node)) unclear ??= 'its `or` answers when there are no samples';
      else if (node.name === 'VectorSelector') written.push(node);
      const modifier = modifierOf(node, query);
      if (modifier === 'misplaced') unclear ??= 'it is not plain PromQL';
      else if (modifier !== undefined) modifiers.push(modifier);
    },
  });
  const found = new Map<string, PromqlSelector>();
  let fixed = 0;
  for (const node of written) {
    const around = modifiers.filter(({ target }) => target.from <= node.from && node.to <= target.to);
    if (around.some(({ isFixed }) => isFixed)) {
      fixed += 1;
      continue;
    }
    const offsetMs = around.reduce((sum, modifier) => sum + modifier.offsetMs, 0);
    if (Number.isNaN(offsetMs)) unclear ??= `the offset of ${textOf(node, query)} is not a plain duration`;
    const text = textOf(node, query);
    found.set(JSON.stringify([text, offsetMs]), { text, offsetMs });
  }
  const selectors = [...found.values()];
  if (fixed > 0 && selectors.length === 0) unclear ??= 'it looks at a fixed time alone (@)';
  if (selectors.length > MOST_SELECTORS) unclear ??= `it has more than ${MOST_SELECTORS} selectors`;
  const recordingRules = selectors.map(({ text }) => /^[\w:]*/.exec(text)![0]).filter((name) => name.includes(':'));
  return { selectors, recordingRules: [...new Set(recordingRules)], ...(unclear === undefined ? {} : { unclear }) };
}

/**
 * The query for the time of a selector's oldest present sample, in epoch seconds; to be asked at the query's own `time`.
 *
 * @param by a label: the oldest for each of its values, and of the series without it
 */
export function sampleTimeQuery({ text, offsetMs }: PromqlSelector, by?: string): string {
  const offset = offsetMs === 0 ? '' : ` offset ${offsetMs < 0 ? '-' : ''}${Math.abs(offsetMs)}ms`;
  return `min${by === undefined ? '' : ` by (${by}) `}(timestamp(${text}${offset}))`;
}

/** `or vector(0)`, `or on() 0`: the right side looks at no samples. */
function isFallback(node: SyntaxNode): boolean {
  return node.getChild('Or') !== null && node.lastChild !== null && !holdsSelector(node.lastChild);
}

function holdsSelector(node: SyntaxNode): boolean {
  let holds = false;
  node.cursor().iterate((one) => {
    holds ||= one.name === 'VectorSelector';
  });
  return holds;
}

interface Modifier {
  /** what it changes: a selector, with its range perhaps, or a subquery */
  target: SyntaxNode;
  /** NaN where it is computed */
  offsetMs: number;
  /** at a time of its own, which is not now */
  isFixed: boolean;
}

/** What `offset` or `@` changes; undefined for any other node. */
function modifierOf(node: SyntaxNode, query: string): Modifier | 'misplaced' | undefined {
  if (node.name !== 'OffsetExpr' && node.name !== 'StepInvariantExpr') return undefined;
  const target = targetOf(node.firstChild);
  if (target === undefined) return 'misplaced';
  if (node.name === 'StepInvariantExpr') {
    return { target, offsetMs: 0, isFixed: node.getChild('AtModifierPreprocessors') === null };
  }
  const duration = node.getChild('OffsetDurationExpr');
  return { target, offsetMs: duration === null ? NaN : promqlDurationMs(textOf(duration, query)), isFixed: false };
}

/** The grammar lets a modifier take all of `a - b offset 5m`; in PromQL it belongs to the selector right before it. */
function targetOf(operand: SyntaxNode | null): SyntaxNode | undefined {
  let node = operand;
  while (node !== null) {
    if (/^(VectorSelector|MatrixSelector|SubqueryExpr)$/.test(node.name)) return node;
    if (/^(BinaryExpr|UnaryExpr)$/.test(node.name)) node = node.lastChild;
    else if (/^(OffsetExpr|StepInvariantExpr)$/.test(node.name)) node = node.firstChild;
    else return undefined;
  }
  return undefined;
}

const DURATION = /^\s*([+-]?)\s*((?:\d+(?:ms|[smhdwy]))+|\d+(?:\.\d+)?)\s*$/;

/** `5m`, `1h30m`, `-90s`, and a bare number of seconds, as PromQL writes durations; NaN for an expression. */
export function promqlDurationMs(text: string): number {
  const match = DURATION.exec(text);
  if (match === null) return NaN;
  const [, sign, amount] = match;
  const parts = amount!.match(/\d+(?:ms|[smhdwy])/g);
  const sumMs = parts === null ? Number(amount) * 1000 : parts.reduce((sum, part) => sum + partMs(part), 0);
  return sign === '-' ? -sumMs : sumMs;
}

/** A year is 365 days in PromQL. */
const UNITS_MS: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

function partMs(part: string): number {
  const [, amount, unit] = /^(\d+)(\w+)$/.exec(part)!;
  return Number(amount) * UNITS_MS[unit!]!;
}

const textOf = (node: SyntaxNode, query: string): string => query.slice(node.from, node.to);
