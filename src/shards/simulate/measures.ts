import type { DomainState, DomainStep } from '../../rules/domain';
import { ofDomainStep } from '../model/domain-step';
import { ownState } from '../evaluation/own-state';
import { Arrangement } from '../model/arrangement';
import { impactOf } from './impact';

/**
 * The measures that executions report of a cluster, as it is or as steps would leave it: those of `impactOf` that are one number.
 * `utilization` and `cost` are absent where the state does not have what they need for every node in use.
 */
export function measuresOf(state: DomainState, steps: readonly DomainStep[]): Record<string, number> {
  const arrangement = new Arrangement(ownState(state).state);
  for (const step of steps) arrangement.apply(ofDomainStep(step));
  const { load, load_spread, utilization, cost, cost_unknown, replicas } = impactOf(arrangement);
  return {
    load_spread,
    ...(utilization === undefined ? {} : { utilization }),
    ...(cost_unknown.length > 0 ? {} : { cost }),
    replicas,
    qps_max: load.qps.max,
    qps_mean: load.qps.mean,
    qps_variance: load.qps.variance,
  };
}
