import type { Argument, Command, Option } from 'commander';

/** What may stand for a value: names of files, one of these words, or anything that a shell cannot know. */
export type Values = 'files' | 'anything' | readonly string[];

export interface CompletedOption {
  /** `-f` and `--file`, as they are typed */
  names: readonly string[];
  description: string;
  /** absent for one that takes no value */
  values?: Values;
  repeatable: boolean;
}

/** A command with all that a shell can complete of it. */
export interface CommandTree {
  /** from the root: `gate policy check` */
  path: string;
  name: string;
  /** one line */
  summary: string;
  options: readonly CompletedOption[];
  /** of its arguments, in order */
  arguments: readonly { name: string; values: Values }[];
  commands: readonly CommandTree[];
}

/** Words between `<>` in a definition whose values are files or folders. */
const FILE_NAMES = /^(?:file|dir|path|url|manifest|from|to|a|b)\b/;

/** What a shell can complete, from the definitions that parse and explain it. */
export function toCommandTree(command: Command, path: string = command.name()): CommandTree {
  const help = command.createHelp();
  return {
    path,
    name: command.name(),
    summary: help.subcommandDescription(command),
    options: help.visibleOptions(command).map(toOption),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      values: valuesOf(argument, argument.name()),
    })),
    commands: help.visibleCommands(command).map((child) => toCommandTree(child, `${path} ${child.name()}`)),
  };
}

/** The tree's commands, each before its own. */
export function allCommands(tree: CommandTree): CommandTree[] {
  return [tree, ...tree.commands.flatMap(allCommands)];
}

function toOption(option: Option): CompletedOption {
  const { short, long, description, required, optional, flags } = option;
  const [, valueName = ''] = /[<[]([^>\]]+)/.exec(flags) ?? [];
  return {
    names: [short, long].filter((name) => name !== undefined),
    description,
    ...(required || optional ? { values: valuesOf(option, valueName) } : {}),
    // Such an option's parser takes the values before.
    repeatable: option.argChoices === undefined && (option.parseArg?.length ?? 0) > 1,
  };
}

function valuesOf({ argChoices }: Pick<Option | Argument, 'argChoices'>, name: string): Values {
  return argChoices ?? (FILE_NAMES.test(name) ? 'files' : 'anything');
}
