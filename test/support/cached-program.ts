import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { userCacheFolder } from '../../src/platform/files/user-folders';
import { withLock } from '../../src/platform/tools/install/install-lock';

const run = promisify(execFile);
const BUILD_WITHIN_MS = 1_500_000;

/** What a suite allows for its beginning, where it may have to build a program first. */
export const FIRST_BUILD_MS = 1_800_000;

/** A program of others that is a peer of a test, and that is built from source. */
export interface BuiltProgram {
  name: string;
  version: string;
  /** the toolchain that builds it */
  toolchain: 'go' | 'cargo';
  /**
   * Builds it in an empty folder of its own.
   *
   * @param run the toolchain, in that folder
   * @returns where the binary is, in that folder
   */
  build(folder: string, run: (args: readonly string[]) => Promise<string>, withinMs: number): Promise<string>;
}

/** Whether the program is in the cache folder or can be built: else tests of it are skipped by name. */
export const canHaveProgram = (program: BuiltProgram): boolean =>
  existsSync(placeOf(program)) ||
  (process.env.PATH ?? '').split(delimiter).some((entry) => existsSync(join(entry, program.toolchain)));

/** Whether it is in the cache folder already. */
export const hasProgram = (program: BuiltProgram): boolean => existsSync(placeOf(program));

/** Where the program is, in the cache folder: built once on a machine, which takes minutes. */
export async function programPath(program: BuiltProgram): Promise<string> {
  const place = placeOf(program);
  if (existsSync(place)) return place;
  await mkdir(dirname(place), { recursive: true });
  return withLock(`${place}.lock`, async () => {
    if (existsSync(place)) return place;
    // Beside the target, so that the last step is a rename within one file system.
    const folder = await mkdtemp(join(dirname(place), '.building-'));
    try {
      const toolchain = async (args: readonly string[]): Promise<string> => {
        const options = { cwd: folder, timeout: BUILD_WITHIN_MS, maxBuffer: 64 * 1024 * 1024 };
        return (await run(program.toolchain, args, options)).stdout;
      };
      const built = join(folder, 'finished');
      await copyFile(await program.build(folder, toolchain, BUILD_WITHIN_MS), built);
      await rename(built, place);
      return place;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

function placeOf({ name, version }: BuiltProgram): string {
  return join(userCacheFolder('peers', process.env), name, version, name);
}
