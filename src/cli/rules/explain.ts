import { Command } from 'commander';
import type { ExplainedCondition } from '../../rules/conditions/explain-condition';
import type { PolicyAnswer } from '../../rules/evaluation/answer';
import { quoted } from '../command-json';
import { CommandFailureType, failureOf } from '../exit';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { answerLines } from './answer-text';
import { explainShardCommand, shardLines } from './explain-shard';
import { checkPolicy, openPolicies } from './policies';
import { loadRules, withState, type StateOptions } from './state-options';

interface ExplainOptions extends CommonOptions, StateOptions {
  policies: string;
  whyNot?: string;
}

export function rulesExplainCommand({ io, exit }: CommandContext): Command {
  const command = new Command('explain')
    .summary('show why a rule policy matches a state, or does not')
    .description(
      'Shows every condition of one policy with what was expected and what the state holds, its candidates with their scores, and what its actions come to beside those of all other policies. Exit code 0 when it matches, 1 when it does not, 2 when that is unknown for want of metrics. With --why-not and no --shard the argument is a shard: for each of its replicas why it is not put on that node, by all policies; exit code 1 when none of them looks for a node.',
    )
    .argument('<policy|shard>', 'name of the policy; with --why-not alone, id of the shard')
    .requiredOption('--policies <path>', 'file or folder of policies');
  withState(command).option('--why-not <node>', 'why the shard is not put on this node, and what to do');
  examples(withOutput(command), [
    'gate rules explain cool-nodes-first --policies rules --state state.json',
    'gate rules explain cool-nodes-first --policies rules --state state.json --shard s1 -o json',
    'gate rules explain cool-nodes-first --policies rules --state state.json --shard s1 --why-not n2',
    'gate rules explain s1 --why-not n2 --policies rules --state state.json',
  ]);
  return command.action(async (name: string, options: ExplainOptions) => {
    if (options.whyNot !== undefined && options.shard === undefined) {
      await requireNoPolicy(io, name, options.policies);
      const loaded = await loadRules(io, options.policies, { ...options, shard: name });
      const { whyNot, output = 'text' } = options;
      return explainShardCommand({ io, exit }, loaded, { shard: name, whyNot, output });
    }
    const [{ answerRules }, { answerDocument }, { skipReason }, { domain, set, state, options: asked }] =
      await Promise.all([
        import('../../rules/evaluation/answer.js'),
        import('../../rules/evaluation/answer-document.js'),
        import('../../rules/evaluation/select.js'),
        loadRules(io, options.policies, options),
      ]);
    checkPolicy(set, name, options.policies);
    const policy = set.policies.find((one) => one.name === name)!;
    // All policies are evaluated: a conflict with another may be why this one does not act.
    const whole = answerRules(set.policies, state, domain, asked);
    const own = <T extends { policy?: string; policies?: string[] }>(items: readonly T[]) =>
      items.filter((item) => item.policy === name || item.policies?.includes(name));
    const answer = {
      results: own(whole.results),
      conflicts: whole.conflicts.filter(({ kept, dropped }) => kept === name || dropped === name),
      actions: own(whole.actions),
      refusals: own(whole.refusals),
    };
    const { operation } = options;
    const skipped = skipReason(
      policy,
      { ...(operation === undefined ? {} : { operation }), labels: undefined },
      domain,
    );
    const notAsked = answer.results.length > 0 ? undefined : whyNotAsked(skipped, state.subjects.length);
    const { whyNot, shard } = options;
    const asShard = whyNot === undefined ? [] : await shardLines(policy, answer.results, state, shard, whyNot);
    if (options.output === 'json') {
      const { results, conflicts, actions, refusals } = answerDocument(answer, domain);
      const parts = { results, conflicts, actions, refusals };
      printJson(io, {
        policy: name,
        ...Object.fromEntries(Object.entries(parts).map(([key, value]) => [key, quoted(value)])),
        ...(notAsked === undefined ? {} : { notEvaluated: notAsked }),
        ...(whyNot === undefined ? {} : { shard: asShard }),
      });
    } else if (notAsked !== undefined) printLines(io, [`${name} is not evaluated: ${notAsked}`, ...asShard]);
    else {
      const colors = colorsFor(io);
      const lines = answer.results.flatMap((result) => [
        ...answerLines({ results: [result], conflicts: [], actions: [], refusals: [] }, domain, colors),
        ...conditionLines(result.conditions, 1),
      ]);
      const rest = answerLines({ ...answer, results: [] }, domain, colors).slice(1);
      printLines(io, [...lines, ...rest, ...asShard]);
    }
    end(answer.results, name, exit);
  });
}

/** @throws CliExit 2 where a policy is named and no shard */
async function requireNoPolicy(io: CommandContext['io'], name: string, path: string): Promise<void> {
  const { set } = await openPolicies(io, path);
  if (!set.policies.some((policy) => policy.name === name)) return;
  throw new CliExit(ExitCode.usage, `${name} is a policy: --why-not needs a shard, as the argument or by --shard`);
}

function end(results: readonly PolicyAnswer[], name: string, exit: CommandContext['exit']): void {
  if (results.some(({ matched }) => matched)) return;
  const unknown = results.filter(({ outcome }) => outcome === 'unknown');
  if (unknown.length === 0) return exit(ExitCode.denied);
  const missing = [...new Set(unknown.flatMap((result) => result.missing))];
  const why = missing.length === 0 ? 'a value cannot be compared' : `missing: ${missing.join(', ')}`;
  exit(ExitCode.usage, failureOf(CommandFailureType.Unexpected, `${name} is unknown; ${why}`));
}

function whyNotAsked(skipped: string | undefined, subjects: number): string {
  if (skipped === 'disabled') return 'it is disabled';
  if (skipped === 'type' || skipped === 'operation') return 'it is not for this operation';
  return subjects === 0 ? 'the state has nothing that it is about' : 'nothing in the state has the labels of its scope';
}

function conditionLines({ outcome, sentence, kind, parts = [] }: ExplainedCondition, depth: number): string[] {
  const word = parts.length === 0 ? sentence : `${kind}: ${sentence}`;
  return [`${'  '.repeat(depth)}[${outcome}] ${word}`, ...parts.flatMap((part) => conditionLines(part, depth + 1))];
}
