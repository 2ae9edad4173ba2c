import { Command } from 'commander';
import { CliExit, ExitCode, type CommandContext } from '../io';
import { examples } from '../options';
import { printJson, printLines } from '../output';
import { byName, connect, withReason, type ChangeOptions } from './stored';

interface PauseOptions extends ChangeOptions {
  all?: boolean;
}

/** `gate rules pause POLICY|--all`: a policy runs by its trigger no more. */
export function rulesPauseCommand(context: CommandContext): Command {
  return command(context, 'pause', {
    summary: 'keep a policy, or all, from running by their triggers',
    description:
      'Keeps a stored policy, or all of them, from running by their triggers. What runs already is not stopped, and gate rules execute still executes. Paused twice is paused once, with the first reason.',
    changed: 'is paused',
    unchanged: 'was paused already',
  });
}

/** `gate rules unpause POLICY|--all`. */
export function rulesUnpauseCommand(context: CommandContext): Command {
  return command(context, 'unpause', {
    summary: 'let a policy, or all, run by their triggers again',
    description:
      'Ends the pause of a stored policy, or the pause of all. A policy with a pause of its own stays paused after --all, and one stays paused while all are.',
    changed: 'is not paused any more',
    unchanged: 'was not paused',
  });
}

function command(
  { io }: CommandContext,
  kind: 'pause' | 'unpause',
  words: { summary: string; description: string; changed: string; unchanged: string },
): Command {
  const made = new Command(kind)
    .summary(words.summary)
    .description(words.description)
    .argument('[name]', 'the name of the policy')
    .option('--all', 'every policy, those to come too');
  examples(withReason(made), [
    `gate rules ${kind} cool-nodes-first --actor ann --reason "the nodes are being replaced"`,
    `gate rules ${kind} --all --actor ann --reason "the nodes are being replaced"`,
  ]);
  return made.action(async (name: string | undefined, options: PauseOptions) => {
    const { all = false, actor, reason } = options;
    if ((name === undefined) !== all) throw new CliExit(ExitCode.usage, 'give the name of a policy, or --all');
    const client = await connect(io, options);
    const which = name === undefined ? ({ policy: { case: 'all', value: true } } as const) : byName(name);
    const request = { ...which, actor, reason };
    const { changed } = await (kind === 'pause' ? client.pausePolicy(request) : client.unpausePolicy(request));
    if (options.output === 'json') return printJson(io, { changed });
    const about = name === undefined ? 'All policies' : name;
    const said = changed ? words.changed : words.unchanged;
    printLines(io, [`${about} ${name === undefined ? said.replace(/^is/, 'are').replace(/^was/, 'were') : said}`]);
  });
}
