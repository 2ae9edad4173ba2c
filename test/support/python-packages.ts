import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { userCacheFolder } from '../../src/platform/files/user-folders';
import { withLock } from '../../src/platform/tools/install/install-lock';

const run = promisify(execFile);
const INSTALL_WITHIN_MS = 480_000;

/** Packages for Python that are peers of a test or of the benchmark. */
export interface PythonPackages {
  name: string;
  version: string;
  /** of these the first that is new enough and can make a virtual environment is taken */
  pythons: readonly string[];
  /** the oldest minor version of Python 3 that will do */
  oldestMinor: number;
  packages: readonly string[];
}

/**
 * The `bin` folder of their virtual environment in the cache folder, made once; a part of one, left by a process that died, is
 * made again.
 *
 * @returns why not, as a text, where this machine cannot have them
 */
export async function installPythonPackages({
  name,
  version,
  pythons,
  oldestMinor,
  packages,
}: PythonPackages): Promise<{ folder: string } | string> {
  const home = join(userCacheFolder('python', process.env), `${name}-${version}`);
  const folder = join(home, 'bin');
  const whole = join(home, 'installed');
  if (existsSync(whole)) return { folder };
  const python = await firstThatRuns(pythons, oldestMinor);
  if (python === undefined) {
    return `${name} ${version} needs Python 3.${oldestMinor} or later, with venv: none of ${pythons.join(', ')} will do`;
  }
  await mkdir(dirname(home), { recursive: true });
  return withLock(`${home}.lock`, async () => {
    if (existsSync(whole)) return { folder };
    try {
      // A virtual environment cannot be moved: what says that it is whole comes last.
      await rm(home, { recursive: true, force: true });
      await run(python, ['-m', 'venv', home]);
      const pip = ['install', '--quiet', '--disable-pip-version-check', ...packages];
      await run(join(folder, 'pip'), pip, { timeout: INSTALL_WITHIN_MS });
      await writeFile(whole, `${packages.join('\n')}\n`);
      return { folder };
    } catch (error) {
      return `pip could not install ${name} ${version}: ${String((error as Error).message).split('\n')[0]}`;
    }
  });
}

/** A name on the PATH may be a shim for a version that is not there: only one that runs counts. */
async function firstThatRuns(pythons: readonly string[], oldestMinor: number): Promise<string | undefined> {
  const check = `import venv, ensurepip, sys; sys.exit(sys.version_info < (3, ${oldestMinor}))`;
  for (const python of pythons) {
    const works = await run(python, ['-c', check]).then(
      () => true,
      () => false,
    );
    if (works) return python;
  }
  return undefined;
}
