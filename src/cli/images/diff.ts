import { Command } from 'commander';
import type { RepositoryDiff } from '../../images/copying/diff-repositories';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { sourceAndTarget } from './image-argument';
import { usingRegistries, withRegistries, type RegistryOptions } from './registry-options';

interface DiffOptions extends CommonOptions, RegistryOptions {}

export function imagesDiffCommand({ io, exit }: CommandContext): Command {
  const command = new Command('diff')
    .summary('compare the tags of two repositories')
    .description(
      'Compares the tags of two repositories by their digests: which the target lacks, which name another image, which only the target has. Exit code 1 if they differ.',
    )
    .argument('<source>', 'a repository such as docker.example/team/app')
    .argument('<target>', 'a repository such as mirror.example/team/app');
  examples(withOutput(withRegistries(command)), ['gate images diff docker.example/team/app mirror.example/team/app']);
  return command.action(async (from: string, to: string, options: DiffOptions) => {
    const { source, target } = sourceAndTarget(from, to);
    for (const { tag, digest } of [source, target])
      if (tag !== undefined || digest !== undefined)
        throw new CliExit(ExitCode.usage, 'expected two repositories, without tags and digests');
    const diff = await usingRegistries(io, options, async (registries) => {
      const { diffRepositories } = await import('../../images/copying/diff-repositories.js');
      const here = { registry: registries.open(source.registry), repository: source.repository };
      const there = { registry: registries.open(target.registry), repository: target.repository };
      return diffRepositories(here, there);
    });
    if (options.output === 'json') printJson(io, { source: from, target: to, ...diff });
    else printLines(io, linesOf(diff));
    if (diff.missing.length + diff.different.length + diff.extra.length > 0) exit(ExitCode.denied);
  });
}

function linesOf({ same, missing, different, extra }: RepositoryDiff): string[] {
  return [
    ...missing.map((tag) => `missing    ${tag}`),
    ...different.map(({ tag, sourceDigest, targetDigest }) => `different  ${tag}  ${sourceDigest} ${targetDigest}`),
    ...extra.map((tag) => `extra      ${tag}`),
    `${same} same, ${missing.length} missing, ${different.length} different, ${extra.length} extra`,
  ];
}
