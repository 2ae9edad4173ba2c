import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { unreadableNote, writeRelease } from './publish';

interface RollbackOptions extends CommonOptions {
  to?: string;
  version?: string;
  by?: string;
}

export function policyRollbackCommand({ io }: CommandContext): Command {
  const command = new Command('rollback')
    .summary('point the manifest back to an earlier release')
    .description(
      'Points the manifest back to an earlier release, after its files were read and compared with their digests.',
    )
    .option('--to <url>', 'manifest; by default that of the settings')
    .option('--version <name>', 'release to point back to; by default the one before the present one')
    .option('--by <name>', 'who does it; by default the user of this machine');
  examples(withOutput(withSettings(command)), [
    'gate policy rollback --to s3://bucket/gate/production.json --version v1',
  ]);
  return command.action(async (options: RollbackOptions) => {
    const [{ openLoadedSettings }, { openManifestPlace, actorOf }, { readStanding, urlOf }, { readHistory }, rollback] =
      await Promise.all([
        import('../open-settings.js'),
        import('./release-place.js'),
        import('../../releases/publishing/published-release.js'),
        import('../../releases/publishing/release-history.js'),
        import('../../releases/publishing/rollback.js'),
      ]);
    const loaded = await openLoadedSettings(io, options.settings);
    const place = await openManifestPlace(io, loaded, options.to);
    const by = await actorOf(io, options.by);
    const standing = await readStanding(place);
    const act = { by, at: new Date().toISOString() };
    if (!standing) throw new CliExit(ExitCode.usage, `expected a manifest at ${urlOf(place)}, found none`);
    const history = await readHistory(place, unreadableNote(io));
    const planned = await rollback.planRollback(place, standing, history, options.version);
    if (planned) {
      const { checkCandidate } = await import('./check-candidate.js');
      await checkCandidate(planned.manifest, planned.content, loaded.settings.release);
      await writeRelease(place, standing, planned, act);
    }
    const version = planned?.manifest.version ?? standing.manifest.version;
    if (options.output === 'json') {
      return printJson(io, {
        manifest: urlOf(place),
        version,
        previous_version: standing.manifest.version,
        rolled_back: planned !== undefined,
        by: act.by,
      });
    }
    printLines(io, [
      planned
        ? `rolled back: ${urlOf(place)} names ${version} (it named ${standing.manifest.version})`
        : `${urlOf(place)} names ${version} already`,
    ]);
  });
}
