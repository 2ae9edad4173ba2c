import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { userCacheFolder } from '../../src/platform/files/user-folders';
import { goInstall } from '../../src/platform/tools/install/go-install';
import { withLock } from '../../src/platform/tools/install/install-lock';

/** A program in Go that is a peer or a judge in a test or in the benchmark. */
export interface GoProgram {
  /** what the binary is called */
  name: string;
  version: string;
  /** the path of its package, without a version */
  package: string;
  module: string;
  /** the module's, as go.sum has it */
  sum: string;
}

const BUILD_WITHIN_MS = 900_000;

const cachedPath = ({ name, version }: GoProgram): string =>
  join(userCacheFolder('go-programs', process.env), `${name}-${version}`, name);

/** Whether it is in the cache folder, or can be built. Where it cannot, tests of it are skipped by name. */
export const canHaveGoProgram = (program: GoProgram): boolean =>
  existsSync(cachedPath(program)) ||
  (process.env.PATH ?? '').split(delimiter).some((entry) => existsSync(join(entry, 'go')));

/**
 * The binary in the cache folder, built once with `go install`.
 *
 * @throws Error with what Go printed
 */
export async function findGoProgram(program: GoProgram): Promise<string> {
  const path = cachedPath(program);
  if (existsSync(path)) return path;
  const home = dirname(path);
  await mkdir(home, { recursive: true });
  return withLock(join(home, 'lock'), async () => {
    if (existsSync(path)) return path;
    const folder = await mkdtemp(join(home, 'build-'));
    try {
      const built = join(folder, program.name);
      const { name, version, sum } = program;
      const what = { package: `${program.package}@${version}`, module: `${program.module}@${version}`, sum };
      await goInstall(what, name, folder, built, { env: process.env, timeoutMs: BUILD_WITHIN_MS });
      await chmod(built, 0o755);
      await rename(built, path);
      return path;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
