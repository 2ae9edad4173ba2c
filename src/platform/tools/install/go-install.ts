import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './run-tool';
import { searchPath } from './search-path';

/**
 * Builds `goModule` (`path@version`) with the Go toolchain on the PATH, and copies the binary `name` to `target`.
 * `folder` is for its own use. Rejects when there is no Go toolchain, or with the last lines of what Go printed.
 */
export async function goInstall(
  goModule: string,
  name: string,
  folder: string,
  target: string,
  options: {
    env: NodeJS.ProcessEnv;
    timeoutMs: number;
    linkerFlags?: string;
    onLine?: (line: string) => void;
    signal?: AbortSignal;
  },
): Promise<void> {
  const [go] = await searchPath('go', options.env.PATH);
  if (go === undefined) throw new Error('no Go toolchain on the PATH');
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const flags = options.linkerFlags === undefined ? [] : [`-ldflags=${options.linkerFlags}`];
  const { code, output } = await runTool(go, ['install', '-trimpath', ...flags, goModule], {
    timeoutMs: options.timeoutMs,
    env: { ...options.env, GOBIN: bin, CGO_ENABLED: '0', GOFLAGS: '' },
    onLine: options.onLine,
    signal: options.signal,
  });
  if (code !== 0) {
    const tail = output.trim().split('\n').slice(-5).join('\n');
    throw new Error(`go install ${goModule} ended with exit code ${code}: ${tail}`);
  }
  await copyFile(join(bin, name), target);
}
