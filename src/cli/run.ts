import { CommanderError } from 'commander';
import { messageOf } from '../kernel/message-of';
import { placedMessage } from '../kernel/fault-text';
import { FailureType, GateError, type Fault } from '../kernel/failures';
import { asksForJson } from './asks-for-json';
import { CommandFailureType, failureOf, type CommandFailure } from './exit';
import { CliExit, ExitCode, type CliIo, type CommandContext, type CommandIo } from './io';
import { createProgram } from './program';
import { Results } from './results';
import { createTerminal } from '../platform/observability/terminal';

/**
 * Runs one `gate` command. Results go to stdout, all else to stderr; nothing is thrown for a user's mistake. With `-o json`
 * standard output holds one document for every exit code.
 *
 * @returns the exit code: 0 allowed or done, 1 denied, failed or aborted, 2 wrong usage or could not decide, 3 paused,
 *   4 timed out or not confirmed
 */
export async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let code: ExitCode = ExitCode.ok;
  let failure: CommandFailure | undefined;
  const exit: CommandContext['exit'] = (wanted, why) => {
    code = wanted;
    failure = why;
  };
  const own = createIo(io);
  const { results } = own;
  const program = await createProgram({ io: own, exit }, argv[0]);
  const asked = asksForJson(program, argv);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    // What a command says of it as text is on standard output, which holds JSON now.
    if (asked && failure !== undefined) own.stderr.write(`gate: ${(failure as CommandFailure).message}\n`);
  } catch (error) {
    const ended = await endOf(error, own);
    exit(ended.code, ended.failure);
  }
  results.finish(code, failure, asked);
  return code;
}

/** Of what a command is given, `signal` alone is not copied: a command that does not ask for it ends at the first Ctrl-C. */
function createIo(io: CliIo): CommandIo {
  const { stdin, env, cwd } = io;
  const [stdout, stderr] = [createTerminal(io.stdout), createTerminal(io.stderr)];
  const results = new Results((text) => stdout.write(text));
  return {
    ...(stdin === undefined ? {} : { stdin }),
    ...{ stdout, stderr, env, cwd, results, data: io.stdout.isTTY === true ? stdout : io.stdout },
    get signal() {
      return io.signal;
    },
  };
}

/** What an error means for the process: it is told on stderr, and its failure is for `-o json`. */
async function endOf(error: unknown, io: CliIo): Promise<{ code: ExitCode; failure?: CommandFailure }> {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { code: ExitCode.ok };
    const message = error.message.replace(/^error: /, '');
    return { code: ExitCode.usage, failure: failureOf(CommandFailureType.Usage, message) };
  }
  if (error instanceof CliExit) {
    io.stderr.write(`gate: ${error.message}\n`);
    return error;
  }
  if (error instanceof GateError) {
    io.stderr.write(faultText(error, io.cwd));
    const faults = error.faults.map((fault) => placedWithin(io.cwd, fault));
    const message = faults.map((fault) => placedMessage(fault)).join('; ');
    return { code: ExitCode.usage, failure: failureOf(error.type, relativeTo(io.cwd, message), faults) };
  }
  const failure = await failureOfOther(error);
  io.stderr.write(`gate: ${failure.message}\n`);
  return { code: ExitCode.usage, failure };
}

function faultText(error: GateError, cwd: string): string {
  const lines = error.faults.map((fault) => `${fault.type}: ${relativeTo(cwd, placedMessage(fault))}`);
  return `gate: ${lines.length === 1 ? lines[0] : `${lines.length} faults:\n  ${lines.join('\n  ')}`}\n`;
}

/** Its message and its place name paths in one way, so that a reader finds the one in the other. */
function placedWithin(cwd: string, fault: Fault): Fault {
  const { message, where } = fault;
  return {
    ...fault,
    message: relativeTo(cwd, message),
    ...(where === undefined ? {} : { where: relativeTo(cwd, where) }),
  };
}

/** Paths as the user wrote them: below the current folder they need no more than their own names. */
function relativeTo(cwd: string, text: string): string {
  return cwd === '/'
    ? text
    : text.replaceAll(new RegExp(`(^|[\\s("'])${cwd.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}/`, 'g'), '$1');
}

/** A sentence for errors of Temporal and of object stores, which users do meet; never a stack trace. */
async function failureOfOther(error: unknown): Promise<CommandFailure> {
  // By name: the module that declares it is loaded with the commands about releases.
  if (error instanceof Error && error.name === 'ObjectStoreError')
    return failureOf(FailureType.PolicyUnavailable, error.message);
  const { connectionFailure } = await import('./temporal-client.js');
  return connectionFailure(error) ?? failureOf(CommandFailureType.Unexpected, messageOf(error));
}
