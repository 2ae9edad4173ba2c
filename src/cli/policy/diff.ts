import { Command, InvalidArgumentError } from 'commander';
import { ExitCode, type CommandContext } from '../io';
import { count, examples, withOutput, withSettings } from '../options';
import type { DiffOptions } from './diff-releases';

export function policyDiffCommand({ io, exit }: CommandContext): Command {
  const command = new Command('diff')
    .summary('compare two releases: rules, limits, facts, and inputs on which they differ')
    .description(
      'Each release is a manifest (….json; a path, file:// or s3://), a policy folder or a bundle.tar.gz. A policy without a configuration takes the other’s, or the defaults. Layout and comments are no difference. Exit code 0 when nothing differs, 1 when something does.',
    )
    .argument('<a>', 'the release before')
    .argument('<b>', 'the release after')
    .option('--config-a <file>', 'release configuration of a')
    .option('--config-b <file>', 'release configuration of b')
    .option('--cases <n>', 'decide this many generated inputs under both, around every limit', count)
    .option('--seed <n>', 'which pairs of values are tried when not all are', wholeNumber, 1)
    .option('--at <time>', 'decision time of the inputs, RFC 3339; default now');
  examples(withOutput(withSettings(command)), [
    'gate policy diff configs/manifests/latest.json policy --cases 500',
    'gate policy diff s3://bucket/gate/production.json s3://bucket/gate/staging.json',
    'gate policy diff policy policy --config-a v1.pkl --config-b v2.pkl --cases 200 -o json',
  ]);
  return command.action(async (a: string, b: string, options: DiffOptions) => {
    const { diffReleases } = await import('./diff-releases.js');
    exit((await diffReleases(io, a, b, options)) ? ExitCode.denied : ExitCode.ok);
  });
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 0xffffffff) throw new InvalidArgumentError('Expected a whole number below 2^32.');
  return number;
}
