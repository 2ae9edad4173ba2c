import { join } from 'node:path';
import { goInstall } from '../../src/platform/tools/install/go-install';
import { canHaveProgram, hasProgram, programPath, type BuiltProgram } from './cached-program';

/** A program in Go that `go install` builds: a peer or a judge in a test or in the benchmark. */
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

/** Whether it is in the cache folder, or can be built. Where it cannot, tests of it are skipped by name. */
export const canHaveGoProgram = (program: GoProgram): boolean => canHaveProgram(installed(program));

/** Whether it is in the cache folder already, for one that takes too long to be built beside the tests. */
export const hasGoProgram = (program: GoProgram): boolean => hasProgram(installed(program));

/**
 * The binary in the cache folder, built once.
 *
 * @throws Error with what Go printed
 */
export const findGoProgram = (program: GoProgram): Promise<string> => programPath(installed(program));

const installed = ({ name, version, module, sum, ...program }: GoProgram): BuiltProgram => ({
  name,
  version,
  toolchain: 'go',
  async build(folder, _go, timeoutMs) {
    const target = join(folder, name);
    const build = { package: `${program.package}@${version}`, module: `${module}@${version}`, sum };
    await goInstall(build, name, folder, target, { env: process.env, timeoutMs });
    return target;
  },
});
