import { allOf, anyOf, not } from '../../rules/conditions/truth';
import type { PointedFault } from '../pointed-fault';
import { compileComparison, type Ask, type CustomTypes, type Judged } from './compile-comparison';
import { isComparison, type ImageCondition } from './image-condition';

/** A policy's conditions, ready to be asked many times. */
export interface CompiledConditions {
  /** each condition of the list by itself, in its order */
  parts: readonly Ask[];
  /** what the answers of all parts come to */
  join(judged: readonly Judged[]): Judged;
}

/**
 * A policy's list of conditions: joined by each one's `logical_op` to the one before it, AND binding tighter than OR, so that
 * `a OR b AND c` is `a OR (b AND c)`. An empty list holds of every image.
 *
 * @returns every fault where there is one
 */
export function compileConditions(
  conditions: readonly ImageCondition[],
  customTypes: CustomTypes = new Map(),
): CompiledConditions | { faults: PointedFault[] } {
  const faults: PointedFault[] = [];
  const groups: number[][] = [[]];
  const compiled = conditions.map((condition, index) => {
    const joins = isComparison(condition) && index > 0 ? condition.logical_op : undefined;
    if (joins === 'OR') groups.push([]);
    groups.at(-1)!.push(index);
    return compile(condition, `/${index}`, faults, customTypes);
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
  };
}

function compile(condition: ImageCondition, pointer: string, faults: PointedFault[], types: CustomTypes): Ask {
  if ('all' in condition) return all(parts(condition.all, `${pointer}/all`, faults, types));
  if ('any' in condition) return any(parts(condition.any, `${pointer}/any`, faults, types));
  if ('not' in condition) {
    const inner = compile(condition.not, `${pointer}/not`, faults, types);
    return (image, nowMs) => {
      const { truth, reason, error } = inner(image, nowMs);
      return { truth: not(truth), reason: `not: ${reason}`, ...(error === undefined ? {} : { error }) };
    };
  }
  const compiled = compileComparison(condition, types);
  if (typeof compiled !== 'string') return compiled;
  faults.push({ pointer, sentence: compiled });
  return () => ({ truth: 'unknown', reason: compiled });
}

function parts(
  conditions: readonly ImageCondition[],
  pointer: string,
  faults: PointedFault[],
  types: CustomTypes,
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
  return (image, nowMs) =>
    joinJudged(
      asks.map((ask) => ask(image, nowMs)),
      allOf,
    );
}

function any(asks: readonly Ask[]): Ask {
  return (image, nowMs) =>
    joinJudged(
      asks.map((ask) => ask(image, nowMs)),
      anyOf,
    );
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
