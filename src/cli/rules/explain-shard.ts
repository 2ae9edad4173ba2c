import type { DomainState } from '../../rules/domain';
import type { RulePolicy } from '../../rules/document/rule-policy';
import type { PolicyAnswer } from '../../rules/evaluation/answer';
import type { PlacementChoice } from '../../shards/placement/rules';
import { CliExit, ExitCode } from '../io';

/**
 * Where a shard's replicas would be put under a policy's first action, and why not on one node.
 *
 * @throws CliExit 2 without a shard, and for a node that the state does not have
 */
export async function shardLines(
  policy: RulePolicy,
  results: readonly PolicyAnswer[],
  state: DomainState,
  shard: string | undefined,
  whyNot: string,
): Promise<string[]> {
  const [{ explainShard }, { toPlacementRules }, { ownState }] = await Promise.all([
    import('../../shards/placement/explain-shard.js'),
    import('../../shards/placement/rules.js'),
    import('../../shards/evaluation/own-state.js'),
  ]);
  const { state: cluster, arrangement } = ownState(state);
  if (shard === undefined) throw new CliExit(ExitCode.usage, '--why-not needs --shard');
  if (!cluster.nodes.has(whyNot)) throw new CliExit(ExitCode.usage, `--why-not: no node is named ${whyNot}`);
  const candidates = results.flatMap((result) => result.candidates ?? []);
  const dropped = new Map(candidates.filter(({ kept }) => !kept).map(({ id, reason }) => [id, reason]));
  const rules = toPlacementRules((policy.actions[0]?.settings ?? {}) as PlacementChoice);
  const asked = cluster.shards.get(shard)!;
  const found = arrangement.trial(() => explainShard(asked, arrangement, rules, dropped, whyNot));
  return [
    `${shard}: one more replica would go to ${found.best?.id ?? 'no node'}`,
    `why not ${whyNot}: ${found.whyNot!}`,
    ...found.replicas.map(({ advice }) => advice),
    ...found.fit.orphans.map(({ node, reason }) => `orphan on ${node}: ${reason}`),
    ...(rules.locationLabels.length === 0 ? [] : [`isolation score ${found.fit.isolationScore}`]),
  ];
}
