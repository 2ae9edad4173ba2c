import { allOf, anyOf, not, type Truth } from '../../rules/conditions/truth';
import type { ImageMetadata } from '../image-metadata';
import type { PointedFault } from '../pointed-fault';
import { compileComparison, type Ask, type Judged } from './compile-comparison';
import { isComparison, type ImageCondition } from './image-condition';

/** A policy's conditions, ready to be asked many times. */
export interface CompiledConditions {
  /** each condition of the list by itself, in its order */
  parts: readonly Ask[];
  /** what the answers of all parts come to */
  join(judged: readonly Judged[]): Judged;
  /** the same without reasons, which most policies of an image are never asked for */
  truth(image: ImageMetadata, nowMs: number): Truth;
}

/**
 * A policy's list of conditions: joined by each one's `logical_op` to the one before it, AND binding tighter than OR, so that
 * `a OR b AND c` is `a OR (b AND c)`. An empty list holds of every image.
 *
 * @returns every fault where there is one
 */
export function compileConditions(
  conditions: readonly ImageCondition[],
  ownTypes: ReadonlySet<string> = new Set(),
): CompiledConditions | { faults: PointedFault[] } {
  const faults: PointedFault[] = [];
  const groups: number[][] = [[]];
  const compiled = conditions.map((condition, index) => {
    const joins = isComparison(condition) && index > 0 ? condition.logical_op : undefined;
    if (joins === 'OR') groups.push([]);
    groups.at(-1)!.push(index);
    return compile(condition, `/${index}`, faults, ownTypes);
  });
  if (faults.length > 0) return { faults };
  return {
    parts: compiled,
    join: (judged) =>
      joinJudged(
        groups.map((group) =>
          joinJudged(
            group.map((index) => judged[index]!),
            allOf,
          ),
        ),
        anyOf,
      ),
    truth: joinTruths(
      groups.map((group) =>
        joinTruths(
          group.map((index) => compiled[index]!.truth),
          'all',
        ),
      ),
      'any',
    ),
  };
}

type TruthOf = Ask['truth'];

/** Three-valued: stops at the first part that decides. */
function joinTruths(parts: readonly TruthOf[], by: 'all' | 'any'): TruthOf {
  if (parts.length === 1) return parts[0]!;
  const decisive = by === 'all' ? 'false' : 'true';
  const otherwise = by === 'all' ? 'true' : 'false';
  return (image, nowMs) => {
    let truth: Truth = otherwise;
    for (const part of parts) {
      const found = part(image, nowMs);
      if (found === decisive) return decisive;
      if (found === 'unknown') truth = 'unknown';
    }
    return truth;
  };
}

function compile(condition: ImageCondition, pointer: string, faults: PointedFault[], types: ReadonlySet<string>): Ask {
  if ('all' in condition) return all(parts(condition.all, `${pointer}/all`, faults, types));
  if ('any' in condition) return any(parts(condition.any, `${pointer}/any`, faults, types));
  if ('not' in condition) {
    const inner = compile(condition.not, `${pointer}/not`, faults, types);
    const judge = (image: ImageMetadata, nowMs: number): Judged => {
      const { truth, reason, error } = inner(image, nowMs);
      return { truth: not(truth), reason: `not: ${reason}`, ...(error === undefined ? {} : { error }) };
    };
    return Object.assign(judge, { truth: (...asked: Parameters<Ask>) => not(inner.truth(...asked)) });
  }
  const compiled = compileComparison(condition, types);
  if (typeof compiled !== 'string') return compiled;
  faults.push({ pointer, sentence: compiled });
  return Object.assign((): Judged => ({ truth: 'unknown', reason: compiled }), { truth: () => 'unknown' as const });
}

function parts(
  conditions: readonly ImageCondition[],
  pointer: string,
  faults: PointedFault[],
  types: ReadonlySet<string>,
): Ask[] {
  return conditions.map((one, index) => {
    const at = `${pointer}/${index}`;
    if (isComparison(one) && one.logical_op !== undefined) {
      faults.push({
        pointer: at,
        sentence: 'expected no logical_op within all, any and not, which say how conditions are joined',
      });
    }
    return compile(one, at, faults, types);
  });
}

function all(asks: readonly Ask[]): Ask {
  return joined(asks, allOf, 'all');
}

function any(asks: readonly Ask[]): Ask {
  return joined(asks, anyOf, 'any');
}

function joined(asks: readonly Ask[], join: typeof allOf, by: 'all' | 'any'): Ask {
  const judge = (image: ImageMetadata, nowMs: number): Judged =>
    joinJudged(
      asks.map((ask) => ask(image, nowMs)),
      join,
    );
  return Object.assign(judge, {
    truth: joinTruths(
      asks.map(({ truth }) => truth),
      by,
    ),
  });
}

/** The reason is that of the parts that decided. */
function joinJudged(judged: readonly Judged[], join: typeof allOf): Judged {
  if (judged.length === 1) return judged[0]!;
  const truth = join(judged.map((one) => one.truth));
  const deciding = judged.filter((one) => one.truth === truth);
  const reason = deciding.map((one) => one.reason).join('; ') || 'there are no conditions';
  const error = deciding.find((one) => one.error !== undefined)?.error;
  return { truth, reason, ...(error === undefined ? {} : { error }) };
}
