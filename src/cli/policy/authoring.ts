import { Command } from 'commander';
import { placedMessage } from '../../kernel/fault-text';
import type { Fault } from '../../kernel/failures';
import type { PolicyCheck } from '../../releases/authoring/check-policy';
import type { Voteless } from '../../releases/authoring/voteless';
import type { FuzzResult } from '../../releases/authoring/fuzz-policy';
import type { ReleaseRules } from '../../gate/release-faults';
import type { ConfigParts } from '../../releases/sources/load-release-config';
import type { LoadedConfig } from '../../releases/sources/release-source';
import { CliExit, ExitCode, type CommandIo, type CommandContext } from '../io';
import { durationOption, examples, withOutput, withSettings, type CommonOptions } from '../options';
import { colorsFor, printJson, printLines } from '../output';
import { quoted } from '../command-json';
import { warningNote } from './publish';
import { declarationLine, declarationRow } from './declaration-rows';
import { NO_TESTS, testSummary } from '../../rego/toolchain/test-summary';

export function buildCommand({ io }: CommandContext): Command {
  const command = new Command('build')
    .summary('compile a policy folder into a bundle')
    .description(
      'Compiles a policy folder into bundle.tar.gz, after gate policy check finds nothing wrong with it, loads the result and evaluates it once. The same folder gives the same bytes.',
    )
    .argument('<dir>', 'policy folder')
    .option('--to <file>', 'where the bundle is written', 'bundle.tar.gz');
  examples(withOutput(command), ['gate policy build policy --to bundle.tar.gz']);
  return command.action(async (dir: string, options: CommonOptions & { to: string }) => {
    const [{ buildChecked }, { writeResult }, { resolve }] = await Promise.all([
      import('../../gate/publishing/build-checked.js'),
      import('../write-result.js'),
      import('node:path'),
    ]);
    const { bytes, bundle, warnings } = await buildChecked(resolve(io.cwd, dir));
    for (const warning of warnings) warningNote(io)(placedMessage(warning));
    const target = resolve(io.cwd, options.to);
    await writeResult(target, bytes);
    const result = {
      bundle: target,
      policy_sha: bundle.sha,
      bytes: bytes.length,
      facts: bundle.reads.facts,
      config: bundle.reads.configPaths.map((path) => path.join('.')),
    };
    if (options.output === 'json') return printJson(io, result);
    printLines(io, [
      `${target}: ${bytes.length} bytes, SHA-256 ${bundle.sha}`,
      `reads facts: ${result.facts.join(', ') || 'none'}`,
      `reads configuration: ${result.config.join(', ') || 'none'}`,
    ]);
  });
}

export function fmtCommand({ io, exit }: CommandContext): Command {
  const command = new Command('fmt')
    .summary('format the Rego of a policy')
    .description('Formats the Rego files of a policy folder as opa fmt does, and lists those that were not formatted.')
    .argument('<dir>', 'policy folder')
    .option('--check', 'list them and change nothing; exit code 1 when there are any');
  examples(withOutput(command), ['gate policy fmt policy', 'gate policy fmt policy --check']);
  return command.action(async (dir: string, options: CommonOptions & { check?: boolean }) => {
    const [{ formatPolicy }, { resolve }] = await Promise.all([
      import('../../rego/toolchain/format-policy.js'),
      import('node:path'),
    ]);
    const isCheck = options.check === true;
    const files = await formatPolicy(resolve(io.cwd, dir), { write: !isCheck });
    if (options.output === 'json') printJson(io, { files, written: !isCheck });
    else {
      const what = isCheck ? 'not formatted' : 'formatted';
      printLines(io, files.length === 0 ? ['every file is formatted'] : files.map((file) => `${what}: ${file}`));
    }
    if (isCheck && files.length > 0) exit(ExitCode.denied);
  });
}

export function testCommand({ io, exit }: CommandContext): Command {
  const command = new Command('test')
    .summary('run opa test with coverage')
    .description(
      'Runs the policy’s own tests and measures which lines they cover. Exit code 1 when a test fails or too little is covered.',
    )
    .argument('<dir>', 'policy folder')
    .option('--threshold <percent>', 'lines of the policy that must be covered', '80')
    .option('--against-opa', 'run every test in the plan’s evaluator instead, and compare with opa test');
  examples(withOutput(command), ['gate policy test policy --threshold 100', 'gate policy test policy --against-opa']);
  return command.action(async (dir: string, options: CommonOptions & { threshold: string; againstOpa?: boolean }) => {
    if (options.againstOpa) {
      const isSame = await testAgainst(io, dir, options);
      return isSame ? undefined : exit(ExitCode.denied);
    }
    const [{ testPolicy }, { resolve }] = await Promise.all([
      import('../../rego/toolchain/test-policy.js'),
      import('node:path'),
    ]);
    const threshold = Number(options.threshold);
    if (!(threshold >= 0 && threshold <= 100))
      throw new CliExit(ExitCode.usage, `expected --threshold to be 0 to 100, got ${options.threshold}`);
    const result = await testPolicy(resolve(io.cwd, dir), { threshold });
    if (options.output === 'json') printJson(io, result);
    else {
      const { summary, details } = testSummary(result, threshold);
      printLines(io, [...details, summary]);
    }
    if (!result.ok) exit(ExitCode.denied);
  });
}

/** @returns whether the two say the same of every test, and there is at least one */
async function testAgainst(io: CommandIo, dir: string, { output }: CommonOptions): Promise<boolean> {
  const [{ testAgainstOpa }, { resolve }] = await Promise.all([
    import('../../rego/toolchain/test-against-opa.js'),
    import('node:path'),
  ]);
  const { compared, differences } = await testAgainstOpa(resolve(io.cwd, dir));
  if (output === 'json') printJson(io, { compared, differences });
  else
    printLines(io, [
      ...differences.map(
        ({ name, where, opa, plan, found }) => `DIFFERS ${name} (${where}): opa ${opa}, plan ${plan} (${found})`,
      ),
      ...(compared === 0 ? [NO_TESTS] : []),
      `${compared} compared with opa test, ${differences.length} different`,
    ]);
  return compared > 0 && differences.length === 0;
}

export function checkCommand({ io, exit }: CommandContext): Command {
  const command = new Command('check')
    .summary('check a policy, and that every fact and limit it reads is there')
    .description(
      'opa check --strict, formatting, entrypoint, built-ins, and coverage of facts and limits by a configuration. Lists what the policy declares optional, and the lines where the compiled module may have no vote. Exit code 1 when there are errors.',
    )
    .argument('<dir>', 'policy folder')
    .option('--config <file>', 'release configuration; by default that of the manifest in force')
    .addOption(
      durationOption(
        '--fuzz <duration>',
        'then take away what evaluations of allowed inputs looked up, or give it a type that its schema forbids, for so long at most: none may be allowed',
      ),
    );
  examples(withOutput(withSettings(command)), [
    'gate policy check policy --config configs/examples/release.pkl',
    'gate policy check policy --config configs/examples/release.pkl --fuzz 10s',
  ]);
  return command.action(async (dir: string, options: CommonOptions & { config?: string; fuzz?: number }) => {
    const [{ checkSources }, { resolve }] = await Promise.all([
      import('../../gate/publishing/check-sources.js'),
      import('node:path'),
    ]);
    const { parts, rules, names } = await checkedWith(io, options);
    const checked = await checkSources(resolve(io.cwd, dir), parts, rules);
    checked.warnings.push(...names);
    const { errors, warnings } = checked;
    const fuzz = parts.loaded && (await fuzzed(checked, parts.loaded, options.fuzz));
    const declarations = checked.declarations.map(declarationRow);
    const { withoutSecondOpinion } = checked;
    if (options.output === 'json')
      printJson(io, {
        errors,
        warnings,
        declarations,
        no_second_opinion: withoutSecondOpinion,
        ...(fuzz && { fuzz: fuzzRow(fuzz) }),
      });
    else {
      const colors = colorsFor(io);
      const line = (kind: string, fault: Fault): string => `${kind} ${placedMessage(fault)}`;
      printLines(io, [
        ...errors.map((fault) => line(colors.red('error'), fault)),
        ...warnings.map((fault) => line(colors.yellow('warning'), fault)),
        ...declarations.map(declarationLine),
        ...withoutSecondOpinion.map(votelessLine),
        ...(fuzz ? fuzzLines(fuzz) : []),
        `${errors.length} error${errors.length === 1 ? '' : 's'}, ${warnings.length} warning${warnings.length === 1 ? '' : 's'}`,
      ]);
    }
    if (errors.length > 0 || (fuzz?.findings.length ?? 0) > 0) exit(ExitCode.denied);
  });
}

function votelessLine({ where, reason, message }: Voteless): string {
  return `no second opinion possible at ${where}: ${reason}${message === undefined ? '' : `: ${message}`}`;
}

/** Only a policy without errors has inputs that are allowed. */
async function fuzzed(
  { errors, bundle }: PolicyCheck,
  config: Pick<LoadedConfig, 'config' | 'configDocument'>,
  durationMs: number | undefined,
): Promise<FuzzResult | undefined> {
  if (durationMs === undefined || bundle === undefined || errors.length > 0) return undefined;
  const [{ fuzzPolicy }, { createInputCheck }] = await Promise.all([
    import('../../releases/authoring/fuzz-policy.js'),
    import('../../gate/decisions/check-input.js'),
  ]);
  const ref = { policySha: bundle.sha, configRev: '', manifestVersion: 'check' };
  return fuzzPolicy(
    { ref, policy: bundle, ...config, loadedAtMs: Date.now() },
    { durationMs, faultsUnder: (configDocument) => createInputCheck(bundle, configDocument) },
  );
}

function fuzzRow({ allowedInputs, tried, declared, isComplete, findings }: FuzzResult) {
  return { allowed_inputs: allowedInputs, tried, declared, complete: isComplete, findings: findings.map(findingRow) };
}

/** What was put in and what was left keep their keys. */
function findingRow({ path, change, to, input }: FuzzResult['findings'][number]) {
  return { path, change, ...(to === undefined ? {} : { to: quoted(to) }), input: quoted(input) };
}

function fuzzLines({ allowedInputs, tried, declared, isComplete, findings }: FuzzResult): string[] {
  return [
    ...findings.map(
      ({ path, change, to = null, input }) =>
        `allowed with ${path} ${change === 'removed' ? 'removed' : `set to ${JSON.stringify(to)}`}, from ${JSON.stringify(input)}`,
    ),
    `${tried} values taken or changed in ${allowedInputs} allowed inputs${isComplete ? '' : ' (the time was over)'}: ${findings.length} allowed, ${declared} by declaration`,
  ];
}

export function typesCommand({ io }: CommandContext): Command {
  const command = new Command('types')
    .summary('TypeScript types of the facts')
    .description('Writes TypeScript types of the facts, from input.json.')
    .argument('<dir>', 'policy folder')
    .option('--to <file>', 'where they are written; by default to standard output');
  examples(command, ['gate policy types policy --to facts.d.ts']);
  return command.action(async (dir: string, options: { to?: string }) => {
    const [{ policyTypes }, { policyFiles }, { loadDocument }, { writeResult }, { join, resolve }] = await Promise.all([
      import('../../rego/analysis/types.js'),
      import('../../rego/toolchain/policy-folder.js'),
      import('../../platform/documents/loaders/document.js'),
      import('../write-result.js'),
      import('node:path'),
    ]);
    const folder = resolve(io.cwd, dir);
    await policyFiles(folder);
    const { document } = await loadDocument(join(folder, 'input.json'));
    const text = policyTypes(document as never);
    if (options.to === undefined) io.data.write(text);
    else await writeResult(resolve(io.cwd, options.to), text);
  });
}

/**
 * The configuration that a policy is checked with, and what a worker of the settings would ask. Without settings a check
 * needs no more than its files: what a release may name is then a warning.
 */
async function checkedWith(
  io: CommandIo,
  { config, settings: path }: CommonOptions & { config?: string },
): Promise<{ parts: ConfigParts; rules: ReleaseRules; names: readonly Fault[] }> {
  const [
    { openLoadedSettings },
    { openReleaseSource },
    { configParts, loadConfigParts },
    { openFacts },
    more,
    { dirname, resolve },
  ] = await Promise.all([
    import('../open-settings.js'),
    import('../../releases/sources/open-release-source.js'),
    import('../../releases/sources/load-release-config.js'),
    import('../../gate/facts/service/open-facts.js'),
    Promise.all([
      import('../../gate/facts/allowed-names.js'),
      import('../../gate/release-faults.js'),
      import('../../gate/release-rules.js'),
    ]),
    import('node:path'),
  ]);
  const [{ namesNotAllowed }, { placedIn }, { kindsWithoutSettings, releaseRules }] = more;
  const hasSettings = path !== undefined || (io.env.GATE_SETTINGS ?? '') !== '';
  if (config === undefined || hasSettings) {
    const loaded = await openLoadedSettings(io, path);
    if (config !== undefined) {
      const file = resolve(io.cwd, config);
      const parts = await loadConfigParts(file);
      return { parts, rules: releaseRules(loaded, io.env, dirname(file)), names: [] };
    }
    const source = openReleaseSource(loaded, { env: io.env });
    const named = await source.read();
    return {
      parts: await configParts(() => named.loadConfig()),
      rules: releaseRules(loaded, io.env, source.configFolder),
      names: [],
    };
  }
  const file = resolve(io.cwd, config);
  const parts = await loadConfigParts(file);
  const folder = dirname(file);
  const folders = { configFolder: folder, settingsFolder: folder };
  const named = namesNotAllowed(parts.loaded?.config.facts ?? {}, { modules: [], env: [], files: [] }, folders);
  const { place } = parts.loaded ?? {};
  return {
    parts,
    rules: {
      facts: withoutModules(
        openFacts({
          env: io.env,
          configFolder: () => folder,
          settingsFolder: folder,
          allow: 'anything',
          kinds: kindsWithoutSettings(io.env),
        }),
      ),
      allowWasmOnly: true,
    },
    names: place === undefined ? named : named.map((fault) => placedIn(place, fault)),
  };
}

/** A check of someone's proposal must not run the code that it names: modules are taken to collect their facts. */
function withoutModules(facts: ReleaseRules['facts']): ReleaseRules['facts'] {
  return {
    idsOf: async (release) => {
      const all = Object.entries(release.config.facts);
      const others = Object.fromEntries(all.filter(([, { type }]) => type !== 'module'));
      const built = await facts.idsOf({ ...release, config: { ...release.config, facts: others } });
      return [...built, ...all.filter(([, { type }]) => type === 'module').map(([factId]) => factId)];
    },
  };
}
