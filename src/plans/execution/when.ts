import { Environment } from '@marcbachmann/cel-js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { utf8Bytes } from '../../kernel/limits';
import type { NodePhase } from '../kinds/phases';

/** Of an expression: bytes, parts of its tree, and how deep these are nested. */
export const WHEN_LIMITS = { bytes: 4_096, parts: 500, depth: 50 } as const;

/** What an expression may read. */
export interface WhenContext {
  /** of the execution */
  parameters: JsonObject;
  /** by the ids of the nodes */
  nodes: Readonly<Record<string, { phase: NodePhase; outputs: JsonObject }>>;
}

/** The nodes that an expression reads, each once, or everything that is wrong with it. */
export type ReadWhen = { nodes: string[]; faults?: undefined } | { nodes?: undefined; faults: string[] };

/** Whether a node is to run, or why nobody can say. */
export type WhenAnswer = { holds: boolean; fault?: undefined } | { holds?: undefined; fault: string };

/** What becomes of a node that is about to begin. */
export type WhenLook = { state: 'begin' } | { state: 'skip' | 'fail'; message: string };

type Tree = { op: string; args: unknown; start: number };

/**
 * Reads the expression of `when`, in CEL (https://cel.dev) over `parameters` and `nodes.ID.{phase,outputs}`. Nodes are named in
 * the text, so that it is known which these are before anything runs.
 */
export function readWhen(text: string): ReadWhen {
  const bytes = utf8Bytes(text);
  if (bytes > WHEN_LIMITS.bytes)
    return { faults: [`expected an expression of at most ${WHEN_LIMITS.bytes} bytes, got ${bytes}`] };
  try {
    const environment = environmentOf();
    const { ast } = environment.parse(text);
    const nodes = new Set<string>();
    const faults: string[] = [];
    findNodes(ast as unknown as Tree, nodes, faults);
    const { valid, type, error } = environment.check(text);
    if (!valid) return { faults: [`${sentenceOf(error)}${hintOf(text)}`] };
    if (type !== 'bool' && type !== 'dyn')
      faults.push(`expected an expression that is true or false, got one of type ${type}`);
    return faults.length > 0 ? { faults } : { nodes: [...nodes] };
  } catch (error) {
    return { faults: [`${sentenceOf(error)}${hintOf(text)}`] };
  }
}

/**
 * Evaluates an expression that was read before. How long that takes depends on the lists that it goes through: the caller
 * bounds it.
 */
export function evaluateWhen(text: string, { parameters, nodes }: WhenContext): WhenAnswer {
  try {
    const context = { parameters: toCel(parameters), nodes: toCel(nodes as unknown as JsonValue) };
    const value = environmentOf().evaluate(text, context) as unknown;
    if (typeof value === 'boolean') return { holds: value };
    return { fault: `expected true or false, got ${kindOf(value)}` };
  } catch (error) {
    return { fault: sentenceOf(error) };
  }
}

/** A new one each time: one that was stopped half-way is not used again. */
function environmentOf(): Environment {
  const { parts, depth } = WHEN_LIMITS;
  const limits = { maxAstNodes: parts, maxDepth: depth, maxListElements: parts, maxMapEntries: parts };
  return new Environment({ homogeneousAggregateLiterals: false, limits })
    .registerVariable('parameters', 'map')
    .registerVariable('nodes', 'map');
}

const READABLE = ['phase', 'outputs'];

/** `nodes` is read as `nodes.ID.phase`, `nodes["ID"].outputs` and the like, and in no other way. */
function findNodes(tree: Tree, nodes: Set<string>, faults: string[]): void {
  const what = keyOf(tree);
  const node = what && keyOf(what.of);
  if (node?.of.op === 'id' && node.of.args === 'nodes') {
    if (READABLE.includes(what!.key)) nodes.add(node.key);
    else faults.push(`expected nodes.${node.key}.phase or .outputs, got .${what!.key}${placeOf(tree.start)}`);
    return;
  }
  if (tree.op === 'id' && tree.args === 'nodes') {
    faults.push(`expected nodes to be read as nodes.ID.phase or nodes["ID"].outputs${placeOf(tree.start)}`);
    return;
  }
  for (const part of partsOf(tree.args)) findNodes(part, nodes, faults);
}

function keyOf({ op, args }: Tree): { of: Tree; key: string } | undefined {
  if (op !== '.' && op !== '[]') return undefined;
  const [of, key] = args as [Tree, string | Tree];
  if (typeof key === 'string') return { of, key };
  return key.op === 'value' && typeof key.args === 'string' ? { of, key: key.args } : undefined;
}

function partsOf(args: unknown): Tree[] {
  if (Array.isArray(args)) return args.flatMap(partsOf);
  return typeof args === 'object' && args !== null && 'op' in args ? [args as Tree] : [];
}

/** JSON's whole numbers are CEL's ints, so that one can count with them; all others are doubles. */
function toCel(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(toCel);
  if (isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toCel(each)]));
  return Number.isSafeInteger(value) ? BigInt(value as number) : value;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint' || typeof value === 'number') return 'a number';
  if (typeof value === 'string') return 'a text';
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** The library's first line; what follows draws the expression, with an arrow below. */
function sentenceOf(error: unknown): string {
  const { message, range } = error as { message?: string; range?: { start?: number } };
  const [first = 'it cannot be evaluated'] = (message ?? '').split('\n');
  return `${first}${range?.start === undefined ? '' : placeOf(range.start)}`;
}

function placeOf(start: number): string {
  return ` at character ${start + 1}`;
}

/** A node's name may have a hyphen, which is a minus here; and `has` takes names behind dots alone. */
function hintOf(text: string): string {
  if (/\bhas\([^)]*\[/.test(text)) return `; write "KEY" in nodes["ID"].outputs for has(nodes["ID"].outputs.KEY)`;
  const [, id] = /\bnodes\.([a-z][a-z0-9]*(?:-[a-z0-9]+)+)\b/.exec(text) ?? [];
  return id === undefined ? '' : `; write nodes["${id}"] for nodes.${id}`;
}
