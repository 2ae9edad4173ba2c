import type { CommandFailure, ExitCode } from './exit';
import type { Results } from './results';
import type { TextStream } from '../platform/observability/terminal';

export { CliExit, ExitCode } from './exit';

/** Everything a command touches of its process, so that tests can run commands in process. */
export interface CliIo {
  stdout: TextStream;
  stderr: TextStream;
  /** @default process.stdin */
  stdin?: AsyncIterable<Uint8Array | string>;
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** aborted by Ctrl-C or SIGTERM; who reads it must end by itself then */
  readonly signal: AbortSignal;
}

/** What a command is given of its process: what it writes to `stdout` and `stderr` cannot steer a terminal. */
export interface CommandIo extends CliIo {
  /** standard output for records in a format for programs: exact, but where it is a terminal */
  readonly data: TextStream;
  /** what `-o json` prints */
  readonly results: Results;
}

/** What a command's action is given beside its own options. */
export interface CommandContext {
  io: CommandIo;
  /** ends the command with this code; the last one said counts. @param failure why, where a result of code 2 does not throw */
  exit(code: ExitCode, failure?: CommandFailure): void;
}
