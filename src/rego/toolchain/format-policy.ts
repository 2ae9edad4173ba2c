import { stat } from 'node:fs/promises';
import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import { opaFaults, runOpa } from './opa';

/**
 * Formats the Rego files in `dir`, tests among them, as `opa fmt` does.
 *
 * @param options.write false only lists them
 * @returns the files that were not formatted, relative to `dir`
 * @throws GateError PolicyInvalid where there is no such folder, or a file is no Rego: then nothing is written
 */
export async function formatPolicy(dir: string, { write }: { write: boolean }): Promise<string[]> {
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new GateError(FailureType.PolicyInvalid, `Expected a policy folder at ${dir}, found none`);
  const listed = await runOpa(dir, ['fmt', '--list', '.']);
  if (listed.code !== 0) throw faultsToError(opaFaults(listed));
  if (write) {
    const written = await runOpa(dir, ['fmt', '--write', '.']);
    if (written.code !== 0) throw faultsToError(opaFaults(written));
  }
  return listed.stdout.split('\n').filter((file) => file !== '');
}
