/** Everything a command touches of its process, so that tests can run commands in process. */
export interface CliIo {
  stdout: { write(text: string): unknown; isTTY?: boolean };
  stderr: { write(text: string): unknown; isTTY?: boolean };
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** aborted by Ctrl-C or SIGTERM; who reads it must end by itself then */
  readonly signal: AbortSignal;
}

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

/** What a command's action is given beside its own options. */
export interface CommandContext {
  io: CliIo;
  /** ends the command with this code; the last one said counts */
  exit(code: ExitCode): void;
}

/** Ends a command with a message for stderr; every command may throw it. */
export class CliExit extends Error {
  override readonly name = 'CliExit';
  constructor(
    readonly code: ExitCode,
    message: string,
  ) {
    super(message);
  }
}
