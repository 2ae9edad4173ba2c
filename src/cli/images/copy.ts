import { Command, Option } from 'commander';
import type { CopyOptions } from '../../images/copy-options';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { collect, examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { copyLine, planLine } from './copy-text';
import { checkCopyOptions, sourceAndTarget } from './image-argument';
import { usingRegistries, withRegistries, type RegistryOptions } from './registry-options';

interface ImageCopyOptions extends CommonOptions, RegistryOptions {
  platform?: string[];
  overwrite: boolean;
  backupTag?: string;
  incomplete: 'refuse' | 'copy';
  dryRun?: boolean;
}

export function imagesCopyCommand({ io }: CommandContext): Command {
  const command = new Command('copy')
    .summary('copy one image to another registry')
    .description(
      'Copies an image with its signatures and other referrers, byte for byte, without policies. Content that the target has is not sent again. The tag is moved last, once the target is seen to hold the whole image.',
    )
    .argument('<source>', 'an image such as docker.example/team/app:v1')
    .argument('<target>', "a repository, with the source's tag unless it names one")
    .option(
      '--platform <platform>',
      'only this one of an index, such as linux/arm64; may be given several times',
      collect,
    )
    .option('--no-overwrite', 'a tag that the target has stays as it is')
    .option('--backup-tag <tag>', 'keeps the image that the tag named before under this tag')
    .addOption(
      new Option('--incomplete <what>', 'what happens to an image that the source lacks a part of')
        .choices(['refuse', 'copy'])
        .default('refuse'),
    )
    .option('--dry-run', 'print what would be transferred');
  examples(withOutput(withRegistries(command)), [
    'gate images copy docker.example/team/app:v1 mirror.example/team/app',
    'gate images copy --dry-run --platform linux/amd64 docker.example/team/app:v1 mirror.example/team/app',
  ]);
  return command.action(async (from: string, to: string, options: ImageCopyOptions) => {
    const { source, target } = sourceAndTarget(from, to);
    checkCopyOptions(options);
    if (target.digest !== undefined) throw new CliExit(ExitCode.usage, 'expected a target without a digest');
    const sourceTag = source.tag ?? (source.digest === undefined ? 'latest' : undefined);
    const tag = target.tag ?? sourceTag;
    const isSame = source.registry === target.registry && source.repository === target.repository;
    if (isSame && tag === sourceTag)
      throw new CliExit(ExitCode.usage, 'expected a target other than the source, got the same image');
    await usingRegistries(io, options, async (registries) => {
      const [{ resolveDigest }, { planCopy }, { replicateImage }] = await Promise.all([
        import('../../images/copying/resolve-digest.js'),
        import('../../images/copying/plan-copy.js'),
        import('../../images/copying/replicate-image.js'),
      ]);
      const here = { registry: registries.open(source.registry), repository: source.repository };
      const there = { registry: registries.open(target.registry), repository: target.repository };
      const digest = source.digest ?? (await resolveDigest(here, sourceTag!));
      const names = {
        source: from,
        target: `${target.registry}/${target.repository}${tag === undefined ? `@${digest}` : `:${tag}`}`,
      };
      if (options.dryRun === true) {
        const plan = await planCopy(here, digest, there, tag, copyOptions(options));
        if (options.output === 'json') printJson(io, { ...names, ...plan });
        else printLines(io, [planLine(names, plan)]);
        return;
      }
      const named = tag === undefined ? {} : { tag };
      const request = { source: here, digest, target: there, ...named, ...copyOptions(options) };
      const result = await replicateImage({ ...request, referrersOfUnchanged: true });
      if (options.output === 'json') printJson(io, { ...names, ...result });
      else printLines(io, [copyLine(names, result)]);
    });
  });
}

function copyOptions({ platform, overwrite, backupTag, incomplete }: ImageCopyOptions): CopyOptions {
  return {
    incomplete,
    noOverwrite: !overwrite,
    ...(platform === undefined ? {} : { platforms: platform }),
    ...(backupTag === undefined ? {} : { backupTag }),
  };
}
