import { Command } from 'commander';
import type { CommandContext } from '../io';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { unreadableNote, warningNote } from './publish';
import { withPublishingExit } from './publishing-exit';
import { signingOf, withSigning, type SigningFlags } from './signing-options';

interface RollbackOptions extends CommonOptions, SigningFlags {
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
    .option(
      '--version <name>',
      'release to point back to; by default the one before the present one, unless that was rolled back to',
    )
    .option('--by <name>', 'who does it; by default the user of this machine');
  withSigning(command);
  examples(withOutput(withSettings(command)), [
    'gate policy rollback --to s3://bucket/gate/production.json --version v1',
  ]);
  return command.action(async (options: RollbackOptions) => {
    const [{ openLoadedSettings }, { rollBack }] = await Promise.all([
      import('../open-settings.js'),
      import('../../gate/publishing/publish-release.js'),
    ]);
    const settings = await openLoadedSettings(io, options.settings);
    const { to, by: declared, version: wanted } = options;
    const signing = signingOf(options.signingKey, options);
    const surroundings = { env: io.env, cwd: io.cwd, onUnreadable: unreadableNote(io), onWarning: warningNote(io) };
    const { url, manifest, previousVersion, written, by } = await withPublishingExit(
      () => rollBack({ settings, to, by: declared, version: wanted, signing, ...surroundings }),
      (refused) => options.output === 'json' && printJson(io, { rolled_back: false, refused }),
    );
    const { version } = manifest;
    if (options.output === 'json')
      return printJson(io, { manifest: url, version, previous_version: previousVersion, rolled_back: written, by });
    printLines(io, [
      !written
        ? `${url} names ${version} already${signing === undefined ? '' : ', signed by this key'}`
        : previousVersion === version
          ? `signed: ${url} names ${version} as before, in a new manifest`
          : `rolled back: ${url} names ${version} (it named ${previousVersion}; to return: --version ${previousVersion})`,
    ]);
  });
}
