import { Command } from 'commander';
import { userAsActor } from '../actor';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { collect, examples, saidText, withOutput, withSettings, type CommonOptions } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { connectSyncs, printSync, waitForSync } from './run-sync';
import { imageLines, summaryLines } from './sync-text';

interface SyncCommandOptions extends CommonOptions {
  policy?: string[];
  policies?: string;
  dryRun?: boolean;
  allReferrers?: boolean;
  watch?: boolean;
  wait: boolean;
  actor?: string;
}

export function imagesSyncCommand({ io, exit }: CommandContext): Command {
  const command = new Command('sync')
    .summary('replicate what policies say')
    .description(
      'Has the running worker list the repositories that its policies name as their sources, decide about every tag, and copy the images to their targets. If a worker dies the sync continues where it was. With --policy only that policy replicates; policies that block always apply. With --dry-run nothing is started: the plan is made here. Exit code 1 if an image failed or was blocked.',
    )
    .option('--policy <id>', 'only this policy replicates; may be given several times', collect)
    .option('--dry-run', 'print what would be copied, and by which policy')
    .option('--policies <path>', "with --dry-run: a file or folder of policies in place of the settings'")
    .option('--all-referrers', 'ask for new signatures of images that have not changed, too')
    .option('--watch', 'show the progress on standard error')
    .option('--no-wait', 'return as soon as it is started')
    .option('--actor <name>', 'who starts it, for the audit log; by default the user of this computer', saidText);
  examples(withOutput(withSettings(command)), [
    'gate images sync --dry-run',
    'gate images sync --watch',
    'gate images sync --policy production-replication -o json',
  ]);
  return command.action(async (options: SyncCommandOptions) => {
    if (options.policies !== undefined && options.dryRun !== true)
      throw new CliExit(ExitCode.usage, 'expected --dry-run with --policies: a sync uses the policies of its worker');
    if (options.dryRun === true) exit(await dryRun(io, options));
    else exit(await start(io, options));
  });
}

async function start(io: CommandIo, options: SyncCommandOptions): Promise<ExitCode> {
  const { policy, allReferrers = false, wait, actor = userAsActor(), output } = options;
  const { syncs, close } = await connectSyncs(io, options.settings);
  try {
    const { workflowId, started } = await syncs.start({
      ...(policy === undefined ? {} : { policies: policy }),
      allReferrers,
      actor,
    });
    io.stderr.write(started ? `Started ${workflowId}\n` : `${workflowId} runs already\n`);
    if (!wait) {
      if (output === 'json') printJson(io, { workflowId, started });
      return ExitCode.ok;
    }
    const status = await waitForSync(io, syncs, workflowId, options.watch === true);
    return printSync(io, workflowId, status, output);
  } finally {
    await close();
  }
}

async function dryRun(io: CommandIo, options: SyncCommandOptions): Promise<ExitCode> {
  const { policy, allReferrers = false, output, policies } = options;
  const [{ openImages }, { conditionTypesOf }, { runSync }, { openLoadedSettings }, { resolve }] = await Promise.all([
    import('../../images/service/open-images.js'),
    import('../../images/service/open-condition-types.js'),
    import('../../images/sync/run-sync.js'),
    import('../open-settings.js'),
    import('node:path'),
  ]);
  const loaded = await openLoadedSettings(io, options.settings);
  const images = openImages(loaded, {
    env: io.env,
    conditionTypes: await conditionTypesOf(loaded),
    ...(policies === undefined ? {} : { policies: resolve(io.cwd, policies) }),
  });
  const colors = colorsFor(io);
  try {
    const report = await runSync(await images.context(policy), {
      dryRun: true,
      allReferrers,
      concurrency: images.concurrency,
      onImage: (image) => {
        const lines = output === 'text' ? imageLines(image, true, colors) : [];
        if (lines.length > 0) printLines(io, lines);
      },
    });
    const { totals, images: all, unlisted, pruned } = report;
    const surplus = pruned.tags.length + pruned.left.length === 0 ? undefined : pruned;
    if (output === 'text') printLines(io, summaryLines(totals, unlisted, surplus, true, colors));
    else {
      const { images: _count, ...counts } = totals;
      printJson(io, {
        dryRun: true,
        ...counts,
        images: all,
        unlisted,
        ...(surplus === undefined ? {} : { pruned: surplus }),
      });
    }
    return totals.errors > 0 || totals.tagsBlocked > 0 ? ExitCode.denied : ExitCode.ok;
  } finally {
    await images.close();
  }
}
