import { isNumber } from '../../values/number';
import { RegoObject } from '../../values/rego-object';
import { RegoSet } from '../../values/rego-set';
import type { RegoValue } from '../../values/value';
import { isDataReference, type Origin, type OriginKey } from '../absence/origin';
import type { Site } from '../absence/site';
import { isByText, lookUp, lookUpBase } from '../lookup';
import type { Block, StatementOf } from '../plan';
import { NEXT, RETURN, type Frame, type Run, type Step } from '../run';
import { outward } from './control';
import type { CompileStatement, Scope } from './scope';

export const compileDot: CompileStatement<'DotStmt'> = (statement, scope, rest) => {
  const { source, key, target } = statement;
  const origin = scope.originOf(source);
  const site = scope.site(statement, {
    ...(origin === undefined ? {} : { origin }),
    key: scope.keyOf(key),
    rest: chainAfter(statement, rest, scope),
    ...dynamicPath(statement, scope),
  });
  const isOwn = scope.shapes.ownLookups.has(statement);
  const isBase = isDataReference(origin) && !isPlainName(key);
  const step = stepFrom(origin, scope.keyOf(key));
  const slot = scope.slot(target);
  const read = scope.reader(source);
  const readKey = scope.reader(key);
  scope.learn(target, step);
  if (isOwn) {
    return (frame) => {
      const found = lookUp(read(frame), readKey(frame)!);
      frame[slot] = found;
      return found === undefined ? 0 : NEXT;
    };
  }
  if (isBase) {
    scope.plan.mayDoubt?.('number-key', site.at);
    return (frame, run) => {
      const [container, name] = [read(frame), readKey(frame)!];
      if (isByText(container, name)) run.doubts.add('number-key', site.at);
      return settle(site, frame, run, slot, container, name, lookUpBase(container, name));
    };
  }
  if (source.kind === 'local' && key.kind === 'constant' && isOwnHashKey(key.value)) {
    const number = scope.plan.names.numberOf(key.value);
    return dotByName(scope.slot(source.local), key.value, number, slot, site);
  }
  return (frame, run) => {
    const container = read(frame);
    const name = readKey(frame)!;
    return settle(site, frame, run, slot, container, name, lookUp(container, name));
  };
};

/** What nearly every lookup is: a field of an object, by a name in the policy's text. */
function dotByName(from: number, name: string, number: number, slot: number, site: Site): Step {
  return (frame, run) => {
    const container = frame[from];
    if (container instanceof RegoObject) {
      const found = container.getPlain(name);
      if (found !== undefined && found !== null) {
        frame[slot] = found;
        if (container === run.input) run.touched.written[number] = true;
        return NEXT;
      }
    }
    return settle(site, frame, run, slot, container, name, lookUp(container, name));
  };
}

const isOwnHashKey = (name: string | boolean): name is string => typeof name === 'string' && name.charCodeAt(0) !== 0;

function settle(
  site: Site,
  frame: Frame,
  run: Run,
  slot: number,
  container: RegoValue | undefined,
  key: RegoValue,
  found: RegoValue | undefined,
): number {
  if (container === run.input && typeof key === 'string') run.touched.add(key);
  if (found === undefined || found === null) run.notebook.lookup(site, frame, container, key, found);
  frame[slot] = found;
  return found === undefined ? 0 : NEXT;
}

/** A name that a path of texts finds where any lookup does: no position in a list. */
const isPlainName = (key: StatementOf<'DotStmt'>['key']): boolean =>
  key.kind === 'constant' && !/^[+-]?\d+$/.test(String(key.value));

function stepFrom(of: Origin | undefined, key: OriginKey): Origin | undefined {
  return of && { kind: 'step', of, key, isDirect: true };
}

/** The keys of the lookups that directly continue this one. */
function chainAfter(statement: StatementOf<'DotStmt'>, rest: Block, scope: Scope): OriginKey[] {
  const keys: OriginKey[] = [];
  let { target } = statement;
  for (const next of rest) {
    if (next.type !== 'DotStmt' || next.source.kind !== 'local' || next.source.local !== target) break;
    keys.push(scope.keyOf(next.key));
    target = next.target;
  }
  return keys;
}

function dynamicPath(statement: StatementOf<'DotStmt'>, scope: Scope): { dynamicPath?: OriginKey[] } {
  const call = scope.shapes.afterDynamicCall.get(statement);
  return call === undefined ? {} : { dynamicPath: call.path.slice(1).map((one) => scope.keyOf(one)) };
}

/** Over an empty collection the block does not run, which is not undefined: `every` over it must continue. */
export const compileScan: CompileStatement<'ScanStmt'> = (statement, scope) => {
  const { source, key, value } = statement;
  const origin = scope.origins.get(source);
  const site = scope.site(statement, origin === undefined ? {} : { origin });
  const [from, keySlot, valueSlot] = [scope.slot(source), scope.slot(key), scope.slot(value)];
  scope.learn(key, undefined);
  scope.learn(value, stepFrom(origin, { slot: keySlot }));
  const body = scope.block(statement.block);
  const fillsList = appendsOutside(statement.block);
  if (fillsList) scope.plan.mayDoubt?.('unordered-list', site.at);

  const visit = (frame: Frame, run: Run, name: RegoValue, item: RegoValue): number => {
    run.budget.spend(1);
    frame[keySlot] = name;
    frame[valueSlot] = item;
    return body(frame, run);
  };
  return (frame, run) => {
    const collection = frame[from];
    if (collection === run.input) run.touchedAll = true;
    if (Array.isArray(collection)) {
      if (collection.length === 0) run.notebook.empty(site, frame, collection);
      for (let i = 0; i < collection.length; i++) {
        const item = collection[i]!;
        if (item === null) run.notebook.element(site, frame, collection, i);
        const answer = visit(frame, run, i, item);
        if (answer > 0 || answer === RETURN) return outward(answer);
      }
      return NEXT;
    }
    if (collection instanceof RegoObject) {
      const { keys } = collection;
      if (keys.length === 0) run.notebook.empty(site, frame, collection);
      else if (fillsList && keys.length > 1) run.doubts.add('unordered-list', site.at);
      for (const name of keys) {
        const item = collection.get(name)!;
        if (item === null) run.notebook.element(site, frame, collection, name);
        const answer = visit(frame, run, name, item);
        if (answer > 0 || answer === RETURN) return outward(answer);
      }
      return NEXT;
    }
    if (collection instanceof RegoSet) {
      const { items } = collection;
      if (fillsList && items.length > 1) run.doubts.add('unordered-list', site.at);
      for (const item of items) {
        const answer = visit(frame, run, item, item);
        if (answer > 0 || answer === RETURN) return outward(answer);
      }
      return NEXT;
    }
    run.notebook.scalar(site, frame, collection);
    return NEXT;
  };
};

/** Whether a block adds to a list that was made before it: whose order is then that of the iteration. */
function appendsOutside(block: Block, made: ReadonlySet<number> = new Set()): boolean {
  const known = new Set(made);
  return block.some((statement) => {
    if (statement.type === 'MakeArrayStmt') known.add(statement.target);
    if (statement.type === 'ArrayAppendStmt') return !known.has(statement.array);
    if (statement.type === 'BlockStmt') return statement.blocks.some((inner) => appendsOutside(inner, known));
    return 'block' in statement && appendsOutside(statement.block, known);
  });
}

export const compileLength: CompileStatement<'LenStmt'> = ({ source, target }, scope) => {
  const read = scope.reader(source);
  const slot = scope.slot(target);
  scope.learn(target, undefined);
  return (frame) => {
    frame[slot] = lengthOf(read(frame));
    return NEXT;
  };
};

function lengthOf(value: RegoValue | undefined): number {
  if (typeof value === 'string') return [...value].length;
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null && !isNumber(value)) return value.size;
  throw new TypeError('Expected a value that has a length');
}
