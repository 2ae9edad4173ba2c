import { Command } from 'commander';
import type { Finding } from '../../clients/doctor/finding';
import { CommandFailureType, failureOf, type CommandFailure } from '../exit';
import { examples, withOutput, withSettings, type CommonOptions } from '../options';
import { ExitCode, type CommandContext, type CommandIo } from '../io';
import { colorsFor, printJson, printLines } from '../output';

/** Each of them is a fault, with what to do about it. */
function failureOfMissing(lacking: readonly Finding[]): CommandFailure {
  const type = CommandFailureType.NotFound;
  const message = `missing: ${lacking.map(({ what }) => what).join(', ')}`;
  return failureOf(
    type,
    message,
    lacking.map(({ what, found, advice }) => ({
      type,
      message: `${what}: ${found}${advice === undefined ? '' : `. ${advice}`}`,
    })),
  );
}

/** Where the settings come from, as `openLoadedSettings` finds them. */
async function settingsFrom({ env }: Pick<CommandIo, 'env'>, given: string | undefined): Promise<string> {
  const named = given ?? env.GATE_SETTINGS;
  if (named !== undefined) return named;
  const { readDevAddresses } = await import('../../dev/dev-addresses.js');
  const dev = readDevAddresses(env);
  return dev === undefined
    ? 'the defaults: no file is named (--settings or GATE_SETTINGS names one)'
    : `${dev.settings}, of the gate dev that runs as process ${dev.pid}`;
}

export function doctorCommand({ io, exit }: CommandContext): Command {
  const command = new Command('doctor')
    .summary('what was found where, what is missing, what to do')
    .description(
      'Looks at tools, settings, release, Temporal and the audit store. Exit code 2 when something that a worker needs is missing.',
    );
  examples(withOutput(withSettings(command)), ['gate doctor']);
  return command.action(async (options: CommonOptions) => {
    const [{ diagnose }, { openLoadedSettings }] = await Promise.all([
      import('../../clients/doctor/diagnose.js'),
      import('../open-settings.js'),
    ]);
    const { env, signal } = io;
    const findings = await diagnose({
      openSettings: () => openLoadedSettings(io, options.settings),
      settingsFrom: await settingsFrom(io, options.settings),
      env,
      signal,
    });
    if (options.output === 'json') printJson(io, { findings });
    else {
      const colors = colorsFor(io);
      const marks = { ok: colors.green('ok     '), note: colors.yellow('note   '), missing: colors.red('missing') };
      printLines(
        io,
        findings.flatMap(({ state, what, found, advice }) => [
          `${marks[state]} ${what}: ${found}`,
          ...(advice === undefined ? [] : [`        ${advice}`]),
        ]),
      );
    }
    const lacking = findings.filter(({ state }) => state === 'missing');
    if (lacking.length > 0) exit(ExitCode.usage, failureOfMissing(lacking));
  });
}
