import { Command } from 'commander';
import { quoted } from '../command-json';
import { ExitCode, type CommandContext } from '../io';
import { collect, examples, withOutput, type CommonOptions } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { answerLines } from './answer-text';
import { checkPolicy } from './policies';
import { loadRules, withState, type StateOptions } from './state-options';

interface EvaluateOptions extends CommonOptions, StateOptions {
  policies: string;
  policy?: string[];
  matched?: boolean;
}

export function rulesEvaluateCommand({ io, exit }: CommandContext): Command {
  const command = new Command('evaluate')
    .summary('evaluate rule policies over a state')
    .description(
      'Evaluates the policies of a file or folder over a state: which match, what is missing, which conflict, and what the actions come to. Nothing is carried out. Exit code 1 when something that matched policies ask for cannot be done.',
    )
    .requiredOption('--policies <path>', 'file or folder of policies');
  withState(command)
    .option('--policy <name>', 'only this policy, beside those it depends on; may be given several times', collect)
    .option('--matched', 'only policies whose conditions hold, found by an index: for thousands of policies');
  examples(withOutput(command), [
    'gate rules evaluate --policies rules --state state.json --operation place_shard',
    'gate rules evaluate --policies rules --state state.json --shard s1 -o json',
  ]);
  return command.action(async (options: EvaluateOptions) => {
    const [{ answerRules }, { answerDocument }, { PolicyIndex }, { domain, set, state, options: asked }] =
      await Promise.all([
        import('../../rules/evaluation/answer.js'),
        import('../../rules/evaluation/answer-document.js'),
        import('../../rules/matching/policy-index.js'),
        loadRules(io, options.policies, options),
      ]);
    const { policies } = set;
    options.policy?.forEach((name) => checkPolicy(set, name, options.policies));
    const index = options.matched === true ? new PolicyIndex(policies, domain) : undefined;
    const started = performance.now();
    const answer = answerRules(policies, state, domain, {
      ...asked,
      ...(options.policy === undefined ? {} : { policies: options.policy }),
      ...(index === undefined ? {} : { index }),
    });
    const durationMs = Math.round((performance.now() - started) * 1000) / 1000;
    if (options.output === 'json') {
      const { results, conflicts, actions, refusals } = answerDocument(answer, domain);
      printJson(io, {
        results: quoted(results),
        conflicts: quoted(conflicts),
        actions: quoted(actions),
        refusals: quoted(refusals),
        durationMs,
      });
    } else printLines(io, answerLines(answer, domain, colorsFor(io)));
    if (answer.refusals.length > 0) exit(ExitCode.denied);
  });
}
