import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CliExit, ExitCode, type CliIo } from './io';
import { readStandardInput } from './standard-input';

/**
 * All of standard input; from a terminal one line, asked for on standard error and not shown while it is typed.
 *
 * @throws CliExit 2 when it is more than 1 MiB; 2 when the terminal is closed, or Ctrl-C pressed, before the line ends
 */
export async function readHiddenInput(io: Pick<CliIo, 'stdin' | 'stderr'>, prompt: string): Promise<Uint8Array> {
  if (io.stdin !== undefined || !process.stdin.isTTY) return readStandardInput(io);
  io.stderr.write(prompt);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // A terminal of readline's has the device show nothing itself, and what readline shows goes nowhere.
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    const line = await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => resolve(undefined));
      lines.once('close', () => resolve(undefined));
    });
    if (line === undefined) throw new CliExit(ExitCode.usage, 'expected a secret, but the input ended');
    return Buffer.from(line);
  } finally {
    lines.close();
    io.stderr.write('\n');
  }
}
