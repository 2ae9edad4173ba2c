import { LARGEST_BYTES } from '../platform/documents/loaders/read-bytes';
import { CliExit, ExitCode, type CliIo } from './io';

/** All of standard input. @throws CliExit 2 when it is more than 1 MiB */
export async function readStandardInput({ stdin = process.stdin }: Pick<CliIo, 'stdin'>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk);
    chunks.push(part);
    bytes += part.length;
    if (bytes > LARGEST_BYTES) throw new CliExit(ExitCode.usage, 'expected at most 1 MiB on standard input');
  }
  return Buffer.concat(chunks);
}
