import type { Command, Option } from 'commander';
import { CliExit, ExitCode } from './io';

/** An alias or a script sets these, and its user may give another: the last one counts, as usual. */
const OVERRIDABLE: readonly string[] = ['settings', 'output'];

/**
 * Refuses an option that takes one value, says what is to be done, and is given several times: the last one would win, and
 * the others be lost without a word. An option whose parser takes the values before (`collect`) may be repeated, and so may
 * one without a value.
 *
 * Must be called once the commands are complete; the refusal comes before the action of the command that is run.
 */
export function refuseRepeatedOptions(program: Command): void {
  const counts = new Map<Command, Map<Option, number>>();
  const watch = (command: Command): void => {
    const seen = new Map<Option, number>();
    counts.set(command, seen);
    for (const option of command.options.filter(takesOneValue)) {
      command.on(`option:${option.name()}`, () => seen.set(option, (seen.get(option) ?? 0) + 1));
    }
    command.commands.forEach(watch);
  };
  watch(program);
  program.hook('preAction', (_program, command) => {
    const faults = [...(counts.get(command) ?? [])]
      .filter(([, count]) => count > 1)
      .map(([{ long, short }, count]) => `expected ${long ?? short} once, got it ${count} times`);
    if (faults.length > 0) throw usageFaults(faults);
  });
}

/** A mistake in the use of a command, with every fault; one alone is a line, several are a list. */
export function usageFaults(faults: readonly string[]): CliExit {
  const message = faults.length === 1 ? faults[0]! : `${faults.length} faults:\n  ${faults.join('\n  ')}`;
  return new CliExit(ExitCode.usage, message, 'Usage', faults);
}

function takesOneValue(option: Option): boolean {
  const { required, optional, variadic, argChoices, parseArg } = option;
  if (variadic || !(required || optional) || OVERRIDABLE.includes(option.name())) return false;
  // The parser of a choice takes the value before, too, and does not use it.
  return argChoices !== undefined || (parseArg?.length ?? 0) < 2;
}
