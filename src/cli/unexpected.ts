import { messageOf } from '../kernel/message-of';
import { asksForJson } from './asks-for-json';
import { CommandFailureType, ExitCode, failureOf } from './exit';
import type { CliIo } from './io';
import { Results } from './results';

/** Tells of a failure that ended a command without its doing: its message, never a stack; `{error}` where JSON was asked for. */
export function tellUnexpected(
  error: unknown,
  argv: readonly string[],
  { stdout, stderr }: Pick<CliIo, 'stdout' | 'stderr'>,
): void {
  const message = `unexpected failure: ${messageOf(error)}`;
  stderr.write(`gate: ${message}\n`);
  const results = new Results((text) => stdout.write(text));
  results.finish(ExitCode.usage, failureOf(CommandFailureType.Unexpected, message), asksForJson(undefined, argv));
}
