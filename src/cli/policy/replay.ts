import { Command, InvalidArgumentError, Option } from 'commander';
import { ReplayClass } from '../../replay/replay-report';
import { ExitCode, type CommandContext } from '../io';
import { collect, count, examples, withSettings } from '../options';
import type { FailOn, ReplayCommandOptions } from './run-replay';

/** What a pipeline may not let pass. */
const FAIL_ON = Object.values(ReplayClass).filter((one): one is FailOn => one !== ReplayClass.same);

export function replayCommand({ io, exit }: CommandContext): Command {
  const command = new Command('replay')
    .summary('what a release would have decided in the past')
    .description(
      'Puts recorded decisions to a release, with the facts and at the time of each, and shows which ones would be others now. What is not named comes from the manifest in force. Exit code 1 for what --fail-on names, and when decisions of this very release are not reproduced.',
    )
    .option('--policy <path>', 'policy folder, or a bundle.tar.gz')
    .option('--config <file>', 'release configuration')
    .addOption(
      new Option('--release <manifest>', 'manifest of the release: a path, file:// or s3://').conflicts([
        'policy',
        'config',
      ]),
    )
    .option(
      '--from <file>',
      'read an export (-o jsonl, json or opa) or an OPA decision log instead of the store; - is standard input',
    )
    .option('--since <time>', 'RFC 3339, or a duration back from now such as 30d')
    .option('--until <time>', 'RFC 3339, or a duration back from now')
    .option('--stage <name>', 'decisions of this stage')
    .option('--deployment <id>', 'decisions of this deployment')
    .option('--outcome <outcome>', 'decisions that were allow, deny or error')
    .option(
      '--fail-on <class>',
      `end with exit code 1 on any of ${FAIL_ON.join(', ')}; repeat it, or use commas`,
      failOn,
    )
    .option('--max-rows <n>', 'decisions shown of a kind; the counts hold all', count, 50)
    .addOption(
      new Option('-o, --output <format>', 'how the result is printed')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    );
  examples(withSettings(command), [
    'gate replay --policy ./policy --config release.pkl --since 30d',
    'gate replay --release s3://bucket/gate/staging.json --since 30d --stage prod --fail-on newly-allowed -o markdown',
    'gate replay --config release.pkl --from decisions.jsonl',
  ]);
  return command.action(async (options: ReplayCommandOptions) => {
    const { runReplay } = await import('./run-replay.js');
    exit((await runReplay(io, options)) ? ExitCode.ok : ExitCode.denied);
  });
}

function failOn(text: string, earlier: FailOn[] | undefined): FailOn[] {
  const given = text.split(',').map((word) => word.trim());
  const unknown = given.find((word) => !(FAIL_ON as readonly string[]).includes(word));
  if (unknown !== undefined) throw new InvalidArgumentError(`Expected ${FAIL_ON.join(', ')}.`);
  return given.reduce<FailOn[]>((all, word) => collect(word, all) as FailOn[], earlier ?? []);
}
