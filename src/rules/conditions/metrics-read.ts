import { isMetricReference, type Condition } from './condition';
import type { ConditionFunctions } from './functions';
import { parseMetricPath } from './metric-path';

/** Every metric that a condition names, in its order, each once, those too that registered functions say they read. */
export function metricsRead(condition: Condition, functions: ConditionFunctions): string[] {
  const names: string[] = [];
  const collect = (part: Condition): void => {
    if ('all' in part) part.all.forEach(collect);
    else if ('any' in part) part.any.forEach(collect);
    else if ('not' in part) collect(part.not);
    else if ('function' in part) names.push(...(functions.get(part.function)?.metrics?.(part.args ?? {}) ?? []));
    else {
      names.push(part.metric);
      if (isMetricReference(part.value)) names.push(part.value.metric);
    }
  };
  collect(condition);
  return [...new Set(names)];
}

const known = new WeakMap<Condition, ReadonlySet<string>>();

/** First keys of the metrics that a condition reads, such as `node`; worked out once for each condition. */
export function prefixesRead(condition: Condition, functions: ConditionFunctions): ReadonlySet<string> {
  let prefixes = known.get(condition);
  if (prefixes === undefined) {
    prefixes = new Set(metricsRead(condition, functions).map((metric) => parseMetricPath(metric)![0]!));
    known.set(condition, prefixes);
  }
  return prefixes;
}
