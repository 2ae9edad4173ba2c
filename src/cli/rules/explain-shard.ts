import type { DomainQuestion, DomainState, DomainStep } from '../../rules/domain';
import type { RulePolicy } from '../../rules/document/rule-policy';
import type { PolicyAnswer } from '../../rules/evaluation/answer';
import type { PlacementChoice } from '../../shards/placement/rules';
import { closeName } from '../../platform/documents/close-name';
import { notFound } from '../exit';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { printJson, printLines } from '../output';
import type { LoadedRules } from './state-options';

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
  requireNode(cluster.nodes.keys(), whyNot);
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

function requireNode(nodes: Iterable<string>, asked: string): void {
  const known = [...nodes];
  if (known.includes(asked)) return;
  const close = closeName(asked, known);
  throw notFound(
    `--why-not: no node of the state is named ${asked}${close === undefined ? '' : `; did you mean ${close}?`}`,
  );
}

/**
 * `gate rules explain SHARD --why-not NODE`: what all policies come to for the shard, and why each of its replicas goes elsewhere.
 *
 * @throws CliExit 2 for a node that the state does not have
 */
export async function explainShardCommand(
  { io, exit }: CommandContext,
  { domain, set, state, options }: LoadedRules,
  { shard, whyNot, output }: { shard: string; whyNot: string; output: string },
): Promise<void> {
  const [{ answerRules }, { decidingSentence }, { explainWhyNot }, { ownState }] = await Promise.all([
    import('../../rules/evaluation/answer.js'),
    import('../../rules/evaluation/deciding-sentence.js'),
    import('../../shards/why-not.js'),
    import('../../shards/evaluation/own-state.js'),
  ]);
  requireNode(ownState(state).state.nodes.keys(), whyNot);
  const decided: { question: DomainQuestion; steps: readonly DomainStep[] }[] = [];
  const answer = answerRules(
    set.policies,
    state,
    {
      ...domain,
      decide: (question) => {
        const decision = domain.decide(question);
        // Each policy is also asked alone, for its scores; what counts is decided after earlier steps.
        const { earlier } = question;
        if (earlier !== undefined)
          decided.push({ question: { ...question, earlier: [...earlier] }, steps: decision.steps });
        return decision;
      },
    },
    options,
  );
  const replicas = decided.flatMap(({ question, steps }) => explainWhyNot(question, steps, whyNot));
  const others = answer.results
    .filter(({ matched }) => !matched)
    .map(({ policy, outcome, conditions, missing }) => ({
      policy,
      outcome,
      sentence: decidingSentence(conditions),
      missing,
    }));
  const refusals = answer.refusals.map(({ policies, sentence }) => ({ policies, sentence }));
  if (output === 'json') {
    const ranked = ({ id, kept, reason, score, parts }: (typeof replicas)[number]['node']) => ({
      ...{ node: id, kept, reason },
      ...(score === undefined ? {} : { score, score_parts: parts }),
    });
    printJson(io, {
      ...{ shard, node: whyNot },
      replicas: replicas.map(({ policies, action, step, outcome, sentence, advice, node, chosen, rank }) => ({
        ...{ policies, action, placed: step !== undefined, outcome, sentence, advice },
        ...(rank === undefined ? {} : { rank }),
        asked: ranked(node),
        ...(chosen === undefined ? {} : { chosen: ranked(chosen) }),
      })),
      ...{ not_matched: others, refusals },
    });
  } else {
    printLines(io, [
      ...replicas.flatMap(({ policies, action, step, sentence, advice, chosen }) => [
        `${action} (${policies.join(', ')}): ${step?.sentence ?? `nothing is placed; one more replica of ${shard} would go to ${chosen?.id ?? 'no node'}`}`,
        `  why not ${whyNot}: ${sentence}`,
        `  what to do: ${advice}`,
      ]),
      ...(replicas.length === 0 ? [`no policy that matches looks for a node for ${shard}`] : []),
      ...others.map(({ policy, outcome, sentence }) => `${outcome} ${policy}: ${sentence}`),
      ...refusals.map(({ sentence }) => `refused: ${sentence}`),
    ]);
  }
  if (replicas.length === 0) exit(ExitCode.denied);
}
