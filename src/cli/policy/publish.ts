import { Command } from 'commander';
import type { ComparedWithOpa, NewRelease } from '../../gate/publishing/publish-release';
import { CliExit, ExitCode, type CliIo, type CommandContext } from '../io';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { withPublishingExit } from './publishing-exit';
import { signingOf, withSigning, type SigningFlags } from './signing-options';

interface PublishOptions extends CommonOptions, SigningFlags {
  policy?: string;
  config?: string;
  to?: string;
  // commander hides the root's --version from subcommands
  version?: string;
  promote?: string;
  by?: string;
  threshold: string;
  signKey?: string;
  dryRun?: boolean;
  allowStatic?: boolean;
}

export function policyPublishCommand({ io }: CommandContext): Command {
  const command = new Command('publish')
    .summary('publish policy and configuration as one release')
    .description(
      'Builds and tests the policy, checks it with the configuration, writes both, and last the manifest that names them. What is left out stays as the manifest names it. Of two publishers at once one wins, and the other is told.',
    )
    .argument('[to]', 'manifest to point at the release of --promote, as --to says it')
    .option('--policy <path>', 'policy folder, or a bundle.tar.gz')
    .option('--config <file>', 'release configuration (.pkl, .json, .yaml)')
    .option('--to <url>', 'manifest: s3://bucket/…/name.json, file://… or a path; by default that of the settings')
    .option('--version <name>', 'of the release; names it for ever')
    .option('--promote <from>', 'publish the release that this manifest names, such as staging’s, instead')
    .option('--by <name>', 'who publishes; by default the user of this machine')
    .option('--threshold <percent>', 'lines of the policy that its tests must cover', '80')
    .option('--sign-key <file>', 'as --signing-key, for the bundle alone: signs it as opa sign does')
    .option('--allow-static', 'let facts be written down in the configuration (type: static)')
    .option('--dry-run', 'do everything but write');
  withSigning(command, 'the manifest, and a bundle that has no signature');
  examples(withOutput(withSettings(command)), [
    'gate policy publish --policy ./policy --config release.pkl --to s3://bucket/gate/staging.json --version v2',
    'gate policy publish --config release.pkl --to s3://bucket/gate/staging.json --version v3',
    'gate policy publish --promote s3://bucket/gate/staging.json s3://bucket/gate/production.json',
  ]);
  return command.action(async (promotedTo: string | undefined, options: PublishOptions) => {
    checkUse(options, promotedTo);
    const [{ openLoadedSettings }, { publish }] = await Promise.all([
      import('../open-settings.js'),
      import('../../gate/publishing/publish-release.js'),
    ]);
    const settings = await openLoadedSettings(io, options.settings);
    const { url, manifest, previousVersion, differs, written, by, opa } = await withPublishingExit(
      () =>
        publish({
          settings,
          to: promotedTo ?? options.to,
          by: options.by,
          release: options.promote === undefined ? newRelease(options) : { promote: options.promote },
          signing: signingOf(options.signingKey, options),
          allowStatic: options.allowStatic === true,
          dryRun: options.dryRun === true,
          onUnreadable: unreadableNote(io),
          onWarning: warningNote(io),
          env: io.env,
          cwd: io.cwd,
        }),
      (refused) => options.output === 'json' && printJson(io, { published: false, refused }),
    );
    const { version, policySHA256, configSHA256 } = manifest;
    if (options.output === 'json') {
      const digests = { policy_sha: policySHA256, config_rev: configSHA256 };
      return printJson(io, { manifest: url, version, ...digests, published: written, by, ...(opa && { opa }) });
    }
    if (!differs) return printLines(io, [`${url} names ${version} already, with this very content`]);
    const before = previousVersion === undefined ? '' : ` (it named ${previousVersion})`;
    printLines(io, [
      written
        ? `published: ${url} names ${version}${before}`
        : `${url} would name ${version}${before}; nothing was written`,
      `  policy ${manifest.policy}, SHA-256 ${policySHA256}`,
      `  config ${manifest.config}, SHA-256 ${configSHA256}`,
      ...(opa === undefined ? [] : opaLines(opa)),
    ]);
  });
}

function opaLines({ generated, recorded, unread }: ComparedWithOpa): string[] {
  return [
    `  OPA decides alike on ${generated} generated inputs and ${recorded} recorded decisions`,
    ...(unread === undefined ? [] : [`  further decisions could not be read: ${unread}`]),
  ];
}

function checkUse(options: PublishOptions, promotedTo: string | undefined): void {
  if (promotedTo !== undefined && (options.promote === undefined || options.to !== undefined)) {
    const expected = options.promote === undefined ? '--to URL' : 'the manifest once, as an argument or with --to';
    throw new CliExit(ExitCode.usage, `expected ${expected}, got ${promotedTo}`);
  }
  const own = (['policy', 'config', 'version', 'signKey'] as const).filter((name) => options[name] !== undefined);
  if (options.promote !== undefined) {
    if (own.length === 0) return;
    throw new CliExit(
      ExitCode.usage,
      'expected --promote without --policy, --config, --version and --sign-key: it publishes a release as it is',
    );
  }
  if (options.version === undefined)
    throw new CliExit(ExitCode.usage, 'expected --version, the name of the new release');
  if (options.policy === undefined && options.config === undefined) {
    throw new CliExit(ExitCode.usage, 'expected --policy, --config or both: there is nothing to publish');
  }
  if (options.signKey !== undefined && options.policy === undefined) {
    throw new CliExit(
      ExitCode.usage,
      'expected --policy with --sign-key: a bundle that is published already keeps its signature',
    );
  }
}

function newRelease(options: PublishOptions): NewRelease {
  const { policy: path, config, version = '' } = options;
  const sign = signingOf(options.signKey, options);
  return {
    version,
    ...(config === undefined ? {} : { config }),
    ...(path === undefined
      ? {}
      : {
          policy: {
            path,
            threshold: thresholdOf(options),
            ...(sign && { sign }),
          },
        }),
  };
}

function thresholdOf({ threshold: text }: PublishOptions): number {
  const threshold = Number(text);
  if (text.trim() !== '' && threshold >= 0 && threshold <= 100) return threshold;
  throw new CliExit(ExitCode.usage, `expected --threshold to be 0 to 100, got ${text}`);
}

/** Tells of a file in the history's place that is no entry of it. */
export function unreadableNote(io: CliIo): (key: string, why: string) => void {
  return (key, why) => void io.stderr.write(`gate: note: ${key} is no entry of the history: ${why}\n`);
}

/** Tells what could not be made sure of. */
export function warningNote(io: CliIo): (message: string) => void {
  return (message) => void io.stderr.write(`gate: warning: ${message}\n`);
}
