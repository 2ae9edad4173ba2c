import { Command, Help, type Option } from 'commander';
import { packageVersion } from '../platform/files/package-version';
import type { CliIo, CommandContext } from './io';
import { refuseRepeatedOptions } from './repeated-options';

type CreateCommand = (context: CommandContext) => Command;

/** In the order in which help lists them. */
const COMMANDS: Readonly<Record<string, () => Promise<CreateCommand>>> = {
  deploy: async () => (await import('./deployments/deploy.js')).deployCommand,
  status: async () => (await import('./deployments/status.js')).statusCommand,
  explain: async () => (await import('./deployments/explain.js')).explainCommand,
  pause: async () => (await import('./deployments/pause.js')).pauseCommand,
  resume: async () => (await import('./deployments/operate.js')).resumeCommand,
  abort: async () => (await import('./deployments/operate.js')).abortCommand,
  override: async () => (await import('./deployments/operate.js')).overrideCommand,
  list: async () => (await import('./deployments/list.js')).listCommand,
  evaluate: async () => (await import('./policy/evaluate.js')).evaluateCommand,
  policy: async () => (await import('./policy/index.js')).policyCommand,
  replay: async () => (await import('./policy/replay.js')).replayCommand,
  rules: async () => (await import('./rules/index.js')).rulesCommand,
  images: async () => (await import('./images/index.js')).imagesCommand,
  plans: async () => (await import('./plans/index.js')).plansCommand,
  audit: async () => (await import('./audit/index.js')).auditCommand,
  worker: async () => (await import('./operations/worker.js')).workerCommand,
  server: async () => (await import('./operations/server.js')).serverCommand,
  'codec-server': async () => (await import('./operations/codec-server.js')).codecServerCommand,
  dev: async () => (await import('./operations/dev.js')).devCommand,
  setup: async () => (await import('./operations/setup.js')).setupCommand,
  doctor: async () => (await import('./operations/doctor.js')).doctorCommand,
  completion: async () => {
    const { completionCommand } = await import('./completion/completion.js');
    return (context) => completionCommand(context, () => createProgram(context));
  },
};

/** The one that is named, which saves loading the others; all where none is, for help and for what is misspelt. */
function wantedCommands(name: string | undefined): Promise<CreateCommand[]> {
  const named = name !== undefined && Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
  return Promise.all(named.map((load) => load()));
}

/**
 * The `gate` command with the subcommand that is named, or with all of them.
 *
 * @param name the first word of the command line; @default all of them
 */
export async function createProgram(context: CommandContext, name?: string): Promise<Command> {
  const program = new Command('gate')
    .description('Is it safe to go on with this deployment now?')
    .addHelpText(
      'after',
      '\nExit codes: 0 allowed or done, 1 denied, failed or aborted, 2 wrong usage or could not decide, 3 paused, 4 timed out or not confirmed',
    )
    .helpCommand(true)
    .showHelpAfterError('(gate help shows the commands)')
    .version(packageVersion(), '-V, --version')
    // The root's --version comes before a subcommand; after it, `--version v2` is the subcommand's own.
    .enablePositionalOptions();
  for (const create of await wantedCommands(name)) program.addCommand(create(context));
  quiet(program, context.io);
  refuseRepeatedOptions(program);
  return program;
}

/** Help and usage errors go where the caller's streams are; no subcommand ends the process itself. */
function quiet(command: Command, io: CliIo): void {
  command.exitOverride();
  command.configureHelp({ optionDescription });
  command.configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) });
  for (const child of command.commands) quiet(child, io);
}

/** An option that must be given says so. */
function optionDescription(option: Option): string {
  const description = new Help().optionDescription(option);
  return option.mandatory && option.defaultValue === undefined ? `${description} (required)` : description;
}
