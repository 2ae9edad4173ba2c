import type { Fault } from '../../kernel/failures';
import { analyse } from '../../rego/toolchain/build-policy';
import { opaFaults, runOpa, withCapabilities } from '../../rego/toolchain/opa';
import { readPolicyFolder } from '../../rego/toolchain/policy-folder';

/**
 * What is wrong with the Rego of a bundle whose entrypoint the compiler left out (`withBundleFolder`): syntax, types,
 * built-ins, strictness, fields that input.json does not have, METADATA. What the entrypoint reads is in the bundle's plan, and
 * is checked where the bundle is read. Imports without use are the compiler's doing, and so is the formatting.
 */
export async function checkParts(dir: string): Promise<Fault[]> {
  const folder = await readPolicyFolder(dir);
  return withCapabilities(async (capabilities) => {
    const { faults } = await analyse(dir, folder, capabilities);
    const strict = await runOpa(dir, ['check', '--strict', '--format', 'json', '-b', '.']);
    const more = strict.code === 0 ? [] : opaFaults(strict, capabilities);
    const isNew = ({ message }: Fault): boolean =>
      !/: import \S+ unused$/.test(message) && !faults.some((fault) => fault.message === message);
    return [...faults, ...more.filter(isNew)];
  });
}
