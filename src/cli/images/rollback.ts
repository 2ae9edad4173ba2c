import { Command } from 'commander';
import type { LoadedSettings } from '../../settings/load-settings';
import { userAsActor } from '../actor';
import { CliExit, ExitCode, type CommandContext, type CommandIo } from '../io';
import { examples, saidText, withOutput, withSettings, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { usingRegistriesOf } from './registry-options';

interface RollbackOptions extends CommonOptions {
  to?: string;
  actor?: string;
  reason: string;
  dryRun?: boolean;
}

export function imagesRollbackCommand({ io }: CommandContext): Command {
  const command = new Command('rollback')
    .summary('move a tag of a target back to the image that it named before')
    .description(
      'Moves a tag of a target back to the image that the last copy replaced, by the audit log, or to the image that --to names. The image must still be in the repository: under a backup tag, or by its digest. Who did it is in the audit log before the tag is moved. A later sync moves the tag forward again unless its policy is changed or disabled.',
    )
    .argument('<reference>', 'the tag, such as mirror.example/team/app:v1')
    .option('--to <image>', 'a tag of the same repository, or a digest')
    .requiredOption('--reason <text>', 'why', saidText)
    .option('--actor <name>', 'who acts; by default the user of this computer', saidText)
    .option('--dry-run', 'print what would be done');
  examples(withOutput(withSettings(command)), [
    'gate images rollback mirror.example/team/app:v1 --reason "v1 crashes"',
    'gate images rollback mirror.example/team/app:v1 --to v1-before --reason "v1 crashes"',
  ]);
  return command.action(async (text: string, options: RollbackOptions) => {
    const { to: named, reason, actor = userAsActor(), dryRun = false, output } = options;
    const [{ openLoadedSettings }, { openAudit }, { findReplaced }, { planRollback, replacedImage, rollBack }] =
      await Promise.all([
        import('../open-settings.js'),
        import('../../audit/stores/open-audit.js'),
        import('../../images/rollback/find-replaced.js'),
        import('../../images/rollback/roll-back.js'),
      ]);
    const loaded = await openLoadedSettings(io, options.settings);
    const { registry: host, repository, tag } = await readTag(text, named, loaded);
    const audit = await openAudit(loaded, io.env);
    try {
      await usingRegistriesOf(io, loaded, async (registries) => {
        const place = { registry: registries.open(host), repository };
        const name = `${host}/${repository}:${tag}`;
        const to = named ?? (await replacedImage(place, tag, await findReplaced(audit, name)));
        const done = dryRun
          ? await planRollback(place, tag, to)
          : await rollBack({ place, tag, to, actor, reason, nowMs: Date.now, record: (one) => audit.record(one) });
        if (output === 'json') return printJson(io, { target: name, dryRun, ...done });
        const verb = dryRun ? 'would be moved' : 'moved';
        const from = done.from === undefined ? '' : ` from ${done.from}`;
        printLines(io, [done.isDone ? `${name} names ${done.to} already` : `${name}: ${verb}${from} to ${done.to}`]);
        if (!done.isDone && !dryRun) warn(io, name);
      });
    } finally {
      await audit.close();
    }
  });
}

function warn(io: CommandIo, name: string): void {
  io.stderr.write(`A later sync moves ${name} forward again, unless its policy is changed or disabled.\n`);
}

/** @throws CliExit 2 for a text that names no tag, and for a --to that is neither tag nor digest */
async function readTag(text: string, to: string | undefined, { settings }: LoadedSettings) {
  const { isDigest, isTag, parseImageReference } = await import('../../images/image-reference.js');
  const slash = text.indexOf('/');
  const named = settings.registries[text.slice(0, Math.max(0, slash))];
  const reference = parseImageReference(named?.host === undefined ? text : `${named.host}${text.slice(slash)}`);
  if (typeof reference === 'string') throw new CliExit(ExitCode.usage, reference);
  const { registry, repository, tag, digest } = reference;
  if (tag === undefined || digest !== undefined)
    throw new CliExit(ExitCode.usage, `expected a reference with a tag and without a digest, got ${text}`);
  if (to !== undefined && !isTag(to) && !isDigest(to))
    throw new CliExit(ExitCode.usage, `--to: expected a tag or a digest, got ${JSON.stringify(to)}`);
  return { registry, repository, tag };
}
