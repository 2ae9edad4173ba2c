import { Command } from 'commander';
import type { LoadedSettings } from '../../settings/load-settings';
import type { ManifestPlace, StandingManifest } from '../../releases/publishing/published-release';
import type { Act, PlannedRelease, ReleaseFile } from '../../releases/publishing/publish';
import type { ListedEntry } from '../../releases/publishing/release-history';
import { CliExit, ExitCode, type CliIo, type CommandContext } from '../io';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';

interface PublishOptions extends CommonOptions {
  policy?: string;
  config?: string;
  to?: string;
  // commander hides the root's --version from subcommands
  version?: string;
  promote?: string;
  by?: string;
  threshold: string;
  signKey?: string;
  signAlg: string;
  signKeyId: string;
  signScope?: string;
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
    .option('--sign-key <file>', 'PEM of a private key, or the secret of an HMAC: signs the bundle as opa sign does')
    .option('--sign-alg <name>', 'RS256, PS256, ES256, HS256, … or with 384 or 512', 'RS256')
    .option('--sign-key-id <id>', 'name of the key for whoever verifies', 'default')
    .option('--sign-scope <scope>', 'scope of the signature')
    .option('--allow-static', 'let facts be written down in the configuration (type: static)')
    .option('--dry-run', 'do everything but write');
  examples(withOutput(withSettings(command)), [
    'gate policy publish --policy ./policy --config release.pkl --to s3://bucket/gate/staging.json --version v2',
    'gate policy publish --config release.pkl --to s3://bucket/gate/staging.json --version v3',
    'gate policy publish --promote s3://bucket/gate/staging.json s3://bucket/gate/production.json',
  ]);
  return command.action(async (promotedTo: string | undefined, options: PublishOptions) => {
    checkUse(options, promotedTo);
    const [{ openLoadedSettings }, { openManifestPlace, actorOf }, { readStanding, urlOf }, { readHistory }] =
      await Promise.all([
        import('../open-settings.js'),
        import('./release-place.js'),
        import('../../releases/publishing/published-release.js'),
        import('../../releases/publishing/release-history.js'),
      ]);
    const loaded = await openLoadedSettings(io, options.settings);
    const place = await openManifestPlace(io, loaded, promotedTo ?? options.to);
    const by = await actorOf(io, options.by);
    const standing = await readStanding(place);
    const act: Act = { by, at: new Date().toISOString() };
    const history = await readHistory(place, unreadableNote(io));
    const planned = options.promote
      ? await planPromotion(io, loaded, options.promote, place, standing, history)
      : await planNew(io, options, place, standing, history, act);
    const result = {
      manifest: urlOf(place),
      version: planned?.manifest.version ?? standing?.manifest.version,
      policy_sha: planned?.manifest.policySHA256 ?? standing?.manifest.policySHA256,
      config_rev: planned?.manifest.configSHA256 ?? standing?.manifest.configSHA256,
      published: planned !== undefined && options.dryRun !== true,
      by: act.by,
    };
    if (planned) {
      const [{ checkCandidate }, { checkNames }] = await Promise.all([
        import('./check-candidate.js'),
        import('../../releases/publishing/publish.js'),
      ]);
      await checkCandidate(planned.manifest, planned.content, {
        allowWasmOnly: loaded.settings.release.allowWasmOnly,
        allowStatic: options.allowStatic === true,
        folder: await policyFolder(io, options.policy),
      });
      if (options.dryRun) await checkNames(place, planned);
      else await writeRelease(place, standing, planned, act);
    }
    if (options.output === 'json') return printJson(io, result);
    if (!planned) return printLines(io, [`${result.manifest} names ${result.version} already, with this very content`]);
    const before = standing ? ` (it named ${standing.manifest.version})` : '';
    printLines(io, [
      options.dryRun
        ? `${result.manifest} would name ${result.version}${before}; nothing was written`
        : `published: ${result.manifest} names ${result.version}${before}`,
      `  policy ${planned.manifest.policy}, SHA-256 ${result.policy_sha}`,
      `  config ${planned.manifest.config}, SHA-256 ${result.config_rev}`,
    ]);
  });
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

async function planNew(
  io: CliIo,
  options: PublishOptions,
  place: ManifestPlace,
  standing: StandingManifest | undefined,
  history: readonly ListedEntry[],
  act: Act,
): Promise<PlannedRelease | undefined> {
  const [{ planPublish }, { resolve }] = await Promise.all([
    import('../../releases/publishing/publish.js'),
    import('node:path'),
  ]);
  const config = options.config === undefined ? undefined : await readConfigFile(resolve(io.cwd, options.config));
  const policy =
    options.policy === undefined ? undefined : await readPolicy(io, options, resolve(io.cwd, options.policy));
  return planPublish(place, standing, history, {
    ...act,
    version: options.version ?? '',
    ...(policy ? { policy } : {}),
    ...(config ? { config } : {}),
  });
}

async function planPromotion(
  io: CliIo,
  loaded: LoadedSettings,
  from: string,
  place: ManifestPlace,
  standing: StandingManifest | undefined,
  history: readonly ListedEntry[],
): Promise<PlannedRelease | undefined> {
  const [{ openManifestPlace }, { readStanding, urlOf }, { planPromote }] = await Promise.all([
    import('./release-place.js'),
    import('../../releases/publishing/published-release.js'),
    import('../../releases/publishing/publish.js'),
  ]);
  const source = await openManifestPlace(io, loaded, from);
  const promoted = await readStanding(source);
  if (!promoted) throw new CliExit(ExitCode.usage, `expected a manifest at ${urlOf(source)}, found none`);
  return planPromote(source, promoted, place, standing, history);
}

/** The configuration's own faults name the user's file, so they are looked for here. */
async function readConfigFile(path: string): Promise<ReleaseFile> {
  const [{ loadReleaseConfig }, { readFile }] = await Promise.all([
    import('../../releases/sources/load-release-config.js'),
    import('node:fs/promises'),
  ]);
  const { configRev } = await loadReleaseConfig(path);
  const bytes = new Uint8Array(await readFile(path));
  const { sha256 } = await import('../../kernel/digest.js');
  if (sha256(bytes) !== configRev) throw new CliExit(ExitCode.usage, `${path} changed while it was read; try again`);
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return { bytes, extension: extension === 'yml' ? 'yaml' : extension };
}

async function readPolicy(io: CliIo, options: PublishOptions, path: string): Promise<ReleaseFile> {
  const threshold = Number(options.threshold);
  if (options.threshold.trim() === '' || !(threshold >= 0 && threshold <= 100)) {
    throw new CliExit(ExitCode.usage, `expected --threshold to be 0 to 100, got ${options.threshold}`);
  }
  const [{ stat, readFile }, { requireTests }, { MAX_POLICY_BYTES }] = await Promise.all([
    import('node:fs/promises'),
    import('./check-candidate.js'),
    import('../../releases/publishing/published-release.js'),
  ]);
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new CliExit(ExitCode.usage, `expected a policy folder or a bundle at ${path}, found nothing`);
  let bytes: Uint8Array;
  if (found.isDirectory()) {
    const { buildPolicy } = await import('../../rego/toolchain/build-policy.js');
    bytes = (await buildPolicy(path)).bytes;
    await requireTests(path, threshold);
  } else {
    if (!found.isFile() || found.size > MAX_POLICY_BYTES) {
      throw new CliExit(ExitCode.usage, `expected ${path} to be a bundle of at most ${MAX_POLICY_BYTES} bytes`);
    }
    const { addPlan } = await import('../../rego/toolchain/add-plan.js');
    bytes = await addPlan(new Uint8Array(await readFile(path)));
  }
  return { bytes: await signed(io, options, bytes), extension: 'tar.gz' };
}

/** The folder of the policy's sources; undefined when a ready bundle is published, or none. */
async function policyFolder(io: CliIo, policy: string | undefined): Promise<string | undefined> {
  if (policy === undefined) return undefined;
  const [{ stat }, { resolve }] = await Promise.all([import('node:fs/promises'), import('node:path')]);
  const path = resolve(io.cwd, policy);
  return (await stat(path)).isDirectory() ? path : undefined;
}

async function signed(io: CliIo, options: PublishOptions, bytes: Uint8Array): Promise<Uint8Array> {
  if (options.signKey === undefined) return bytes;
  const [{ signBundle }, { readSecret }] = await Promise.all([
    import('../../rego/bundle/signing/sign-bundle.js'),
    import('../../platform/files/read-secret.js'),
  ]);
  return signBundle(bytes, {
    key: await readSecret({ file: options.signKey }, { env: io.env, configFolder: io.cwd }),
    keyId: options.signKeyId,
    algorithm: options.signAlg,
    ...(options.signScope === undefined ? {} : { scope: options.signScope }),
  });
}

/** Writes a release; what is not known for certain afterwards ends with exit code 4. */
export async function writeRelease(
  place: ManifestPlace,
  standing: StandingManifest | undefined,
  planned: PlannedRelease,
  act: Act,
): Promise<void> {
  const [{ carryOut }, { NotConfirmedError }] = await Promise.all([
    import('../../releases/publishing/publish.js'),
    import('../../releases/publishing/point-manifest.js'),
  ]);
  try {
    await carryOut(place, standing, planned, act);
  } catch (error) {
    if (error instanceof NotConfirmedError) throw new CliExit(ExitCode.timeout, error.message);
    throw error;
  }
}

export function unreadableNote(io: CliIo): (key: string, why: string) => void {
  return (key, why) => void io.stderr.write(`gate: note: ${key} is no entry of the history: ${why}\n`);
}
