import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './run-tool';
import { searchPath } from './search-path';

/** What is built, and what it must be. */
export interface GoBuild {
  /** `path@version` of the package */
  package: string;
  /** `path@version` of its module */
  module: string;
  /** the module's sum as go.sum has it; the module's own go.mod names its dependencies, which Go's checksum database vouches for */
  sum: string;
  linkerFlags?: string;
}

export interface GoOptions {
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * Builds a package with the Go toolchain on the PATH, after its module was compared with its sum, and copies the binary `name`
 * to `target`. `folder` is for its own use. Rejects when there is no Go toolchain, when the module is another one, or with the
 * last lines of what Go printed.
 */
export async function goInstall(
  build: GoBuild,
  name: string,
  folder: string,
  target: string,
  options: GoOptions,
): Promise<void> {
  const [go] = await searchPath('go', options.env.PATH);
  if (go === undefined) throw new Error('no Go toolchain on the PATH');
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const env = { ...options.env, GOBIN: bin, CGO_ENABLED: '0', GOFLAGS: '' };
  const { timeoutMs, signal, onLine } = options;
  const run = async (args: string[], said?: GoOptions['onLine']): Promise<string> => {
    const { code, output } = await runTool(go, args, { timeoutMs, env, signal, onLine: said });
    if (code === 0) return output;
    const tail = output.trim().split('\n').slice(-5).join('\n');
    throw new Error(`go ${args[0]} ${args.at(-1)} ended with exit code ${code}: ${tail}`);
  };
  const downloaded = await run(['mod', 'download', '-json', build.module]);
  const found = /"Sum": "([^"]+)"/.exec(downloaded)?.[1];
  if (found !== build.sum) {
    throw new Error(`${build.module}: expected the sum ${build.sum}, got ${found ?? 'none'}`);
  }
  const flags = build.linkerFlags === undefined ? [] : [`-ldflags=${build.linkerFlags}`];
  await run(['install', '-trimpath', ...flags, build.package], onLine);
  await copyFile(join(bin, name), target);
}
