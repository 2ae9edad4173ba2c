import type { FailureType, Fault } from '../kernel/failures';

/** The exit codes of every command. */
export const ExitCode = {
  /** allowed, or done */
  ok: 0,
  /** denied, failed or aborted */
  denied: 1,
  /** wrong usage, or could not decide */
  usage: 2,
  paused: 3,
  /** timed out, or not confirmed */
  timeout: 4,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What only a command can meet; everything else has a type of `FailureType`. Public: `-o json` prints them. */
export const CommandFailureType = {
  /** the command line is wrong */
  Usage: 'Usage',
  /** what the command line names does not exist, or what a worker needs is missing */
  NotFound: 'NotFound',
  /** no answer came in time: it may still take effect */
  NotConfirmed: 'NotConfirmed',
  /** anything else, such as a server that does not answer or a file that cannot be written */
  Unexpected: 'Unexpected',
} as const;
export type CommandFailureType = (typeof CommandFailureType)[keyof typeof CommandFailureType];

/** One thing that is wrong, as `-o json` prints it. */
export type CommandFault = Omit<Fault, 'type'> & { type: FailureType | CommandFailureType };

/** Why a command ended with a code other than 0: `error` of `-o json`. */
export interface CommandFailure {
  type: FailureType | CommandFailureType;
  message: string;
  /** every fault, at least one */
  faults: readonly CommandFault[];
}

/** A failure of one or several faults. */
export function failureOf(
  type: CommandFailure['type'],
  message: string,
  faults: readonly CommandFault[] = [{ type, message }],
): CommandFailure {
  return { type, message, faults };
}

/** Ends a command with a message for stderr; every command may throw it. */
export class CliExit extends Error {
  override readonly name = 'CliExit';
  /** what `-o json` prints where there is no result */
  readonly failure: CommandFailure;

  /**
   * @param type @default Usage for code 2, NotConfirmed for 4, Unexpected otherwise
   * @param faults each of what the message lists; @default the message alone
   */
  constructor(
    readonly code: ExitCode,
    message: string,
    type: CommandFailure['type'] = typeOf(code),
    faults?: readonly string[],
  ) {
    super(message);
    this.failure = failureOf(
      type,
      message,
      faults?.map((fault) => ({ type, message: fault })),
    );
  }
}

function typeOf(code: ExitCode): CommandFailureType {
  if (code === ExitCode.usage) return CommandFailureType.Usage;
  return code === ExitCode.timeout ? CommandFailureType.NotConfirmed : CommandFailureType.Unexpected;
}

/** Ends a command with code 2: what was named does not exist. */
export function notFound(message: string): CliExit {
  return new CliExit(ExitCode.usage, message, CommandFailureType.NotFound);
}
