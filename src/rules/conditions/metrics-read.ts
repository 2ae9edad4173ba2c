import { isMetricReference, type Condition } from './condition';

/** Every metric that a condition names, in its order, each once. Those that a registered function reads are not known. */
export function metricsRead(condition: Condition): string[] {
  const names: string[] = [];
  const collect = (part: Condition): void => {
    if ('all' in part) part.all.forEach(collect);
    else if ('any' in part) part.any.forEach(collect);
    else if ('not' in part) collect(part.not);
    else if ('metric' in part) {
      names.push(part.metric);
      if (isMetricReference(part.value)) names.push(part.value.metric);
    }
  };
  collect(condition);
  return [...new Set(names)];
}
