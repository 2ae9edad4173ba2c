import { isDuration, parseDuration } from '../../kernel/duration';
import { parseTime } from '../../kernel/time';
import type { ConditionFunction } from '../../rules/conditions/functions';
import { parseMetricPath } from '../../rules/conditions/metric-path';

/** Whether the time that a metric holds lies further back than an age; unknown where the metric holds no time. */
export const olderThan: ConditionFunction = {
  name: 'older_than',
  description: 'the time in metric is more than age ago',
  argumentFaults({ metric, age, ...others }) {
    const faults = Object.keys(others).map((key) => `expected only the arguments metric, age, got ${key}`);
    if (typeof metric !== 'string' || parseMetricPath(metric) === undefined) {
      faults.push(`expected metric to be the name of a metric, got ${JSON.stringify(metric) ?? 'nothing'}`);
    }
    if (typeof age !== 'string' || !isDuration(age)) {
      faults.push(`expected age to be a duration such as 6h, got ${JSON.stringify(age) ?? 'nothing'}`);
    }
    return faults;
  },
  metrics: ({ metric }) => [metric as string],
  evaluate({ metric, age }, scope) {
    const since = parseTime(scope.metric(metric as string));
    return since === undefined ? undefined : scope.nowMs - since > parseDuration(age as string);
  },
};
