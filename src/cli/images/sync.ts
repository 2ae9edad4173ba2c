import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { count, examples, withOutput, type CommonOptions } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { openImagePolicies, withImagePolicies, type ImagePolicyOptions } from './policy-options';
import { usingRegistries, withRegistries, type RegistryOptions } from './registry-options';
import { imageLines, summaryLine } from './sync-text';

interface SyncCommandOptions extends CommonOptions, ImagePolicyOptions, RegistryOptions {
  dryRun?: boolean;
  allReferrers?: boolean;
  concurrency: number;
}

/** Digests whose metadata is kept: several tags may name one image. */
const CACHED_DIGESTS = 10_000;

export function imagesSyncCommand({ io, exit }: CommandContext): Command {
  const command = new Command('sync')
    .summary('replicate what policies say')
    .description(
      'Lists the repositories that policies name as their sources, decides about every tag, and copies the images to their targets. With --policy only that policy replicates; policies that block always apply. Exit code 1 if an image failed or was blocked.',
    );
  withRegistries(withImagePolicies(command))
    .option('--dry-run', 'print what would be copied, and by which policy')
    .option('--all-referrers', 'ask for new signatures of images that have not changed, too')
    .option('--concurrency <images>', 'images at once', count, 4);
  examples(withOutput(command), [
    'gate images sync --policies policies --dry-run',
    'gate images sync --policies policies --registry ecr=mirror.example -o json',
  ]);
  return command.action(async (options: SyncCommandOptions) => {
    const { dryRun = false, allReferrers = false, concurrency } = options;
    const { set, decide } = await openImagePolicies(io, options, { keepBlocking: true });
    const [{ runSync }, { sourcesOf }, { BoundedMap }] = await Promise.all([
      import('../../images/sync/run-sync.js'),
      import('../../images/sync/list-candidates.js'),
      import('../../kernel/bounded-map.js'),
    ]);
    if (sourcesOf({ set, decide }).length === 0) {
      const message =
        'expected a policy that replicates and has a source, or --map, got neither: nothing says where images come from';
      throw new CliExit(ExitCode.usage, message);
    }
    const colors = colorsFor(io);
    const isText = options.output === 'text';
    const report = await usingRegistries(io, options, (registries) =>
      runSync(
        {
          set,
          decide,
          open: (host) => registries.open(host),
          cache: new BoundedMap(CACHED_DIGESTS),
          nowMs: Date.now,
          clockNs: () => Math.round(performance.now() * 1e6),
        },
        {
          dryRun,
          allReferrers,
          concurrency,
          onImage: (image) => {
            const lines = isText ? imageLines(image, dryRun, colors) : [];
            if (lines.length > 0) printLines(io, lines);
          },
        },
      ),
    );
    if (isText) printLines(io, summaryLine(report, colors));
    else printJson(io, report);
    if (report.errors.length > 0 || report.tagsBlocked > 0) exit(ExitCode.denied);
  });
}
