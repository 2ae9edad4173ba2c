import { Command } from 'commander';
import { faultsToError } from '../../kernel/failures';
import { failureOf } from '../exit';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, withSettings } from '../options';
import type { EvaluateOptions } from './evaluate-dry';

export function evaluateCommand({ io, exit }: CommandContext): Command {
  const command = new Command('evaluate')
    .summary('what would be decided: a dry run, without Temporal and without a record')
    .description(
      'Evaluates a policy over facts: a dry run without Temporal, without the network and without a record. Exit code 0 allow, 1 deny, 2 could not decide.',
    )
    .requiredOption('--policy <dir|bundle>', 'policy folder, or bundle.tar.gz')
    .option(
      '--facts <file>',
      '{"pending_delta": 100, …} or {"facts": [{"id", "value", "timestamp"}]}; - reads standard input',
    )
    .option('--collect', 'take the facts from the configured providers, now')
    .option('--config <file>', 'release configuration; it may hold limits alone')
    .option('--explain', 'print each lookup with its value and line, and what was missing')
    .option('--at <time>', 'decision time, RFC 3339; default now')
    .option('--id <id>', 'deployment id in input.deployment', 'dry-run')
    .option('--stage <name>', 'stage in input.deployment', 'dry-run')
    .option('--attributes <json>', 'attributes in input.deployment, as a JSON object');
  examples(withOutput(withSettings(command)), [
    'gate evaluate --policy policy --facts facts.json',
    'gate evaluate --policy policy --facts facts.json --explain',
    'gate evaluate --policy bundle.tar.gz --config configs/examples/release.pkl --collect',
  ]);
  return command.action(async (options: EvaluateOptions) => {
    if ((options.facts === undefined) === (options.collect !== true)) {
      throw new CliExit(ExitCode.usage, 'give either --facts FILE or --collect');
    }
    const { createEvaluator } = await import('../../rego/evaluation/evaluator.js');
    // Before all else is loaded: a thread takes as long to start as that. One answer is all that is wanted.
    const evaluator = createEvaluator({ threads: 1, spares: 0 });
    try {
      const { evaluateDry } = await import('./evaluate-dry.js');
      const { outcome, faults } = await evaluateDry(io, options, evaluator);
      if (outcome === 'error') {
        const { type, message } = faultsToError(faults);
        return exit(ExitCode.usage, failureOf(type, message, faults));
      }
      exit(outcome === 'allow' ? ExitCode.ok : ExitCode.denied);
    } finally {
      await evaluator.close();
    }
  });
}
