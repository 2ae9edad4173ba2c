import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import { readArchive } from '../bundle/archive/read-archive';
import { writeArchive } from '../bundle/archive/write-archive';
import { ENTRYPOINT } from '../bundle/bundle';
import { MASK_ENTRYPOINT } from '../bundle/masks';
import { opaFaults, runOpa, withCapabilities } from './opa';

/**
 * The bundle with a plan built from the Rego in it; the same bytes where it has one, or no Rego. The module stays as it is,
 * so that the two opinions come from two compilations.
 *
 * @throws GateError PolicyInvalid where no plan can be built: `opa build -t wasm` leaves entrypoints out of the Rego that it
 *   puts into a bundle, so most of its bundles have to be built again from their sources; or where a signature would break
 */
export async function addPlan(bytes: Uint8Array): Promise<Uint8Array> {
  const files = await readArchive(bytes);
  const rego = [...files.keys()].filter((name) => name.endsWith('.rego'));
  if (files.has('plan.json') || rego.length === 0) return bytes;
  if (files.has('.signatures.json')) {
    throw invalid('a signed bundle cannot be given one; build it with a plan before it is signed (gate policy build)');
  }
  return withCapabilities(async (capabilities, folder) => {
    const sources = join(folder, 'sources');
    for (const name of [...rego, ...(files.has('data.json') ? ['data.json'] : [])]) {
      await mkdir(dirname(join(sources, name)), { recursive: true });
      await writeFile(join(sources, name), files.get(name)!);
    }
    const hasMasks = Buffer.from(files.get('.manifest') ?? []).includes(MASK_ENTRYPOINT);
    const output = join(folder, 'plan.tar.gz');
    const built = await runOpa(sources, [
      ...['build', '-t', 'plan', '-e', ENTRYPOINT, ...(hasMasks ? ['-e', MASK_ENTRYPOINT] : []), '-b', '.'],
      ...['--capabilities', capabilities.path, '-o', output],
    ]);
    if (built.code !== 0) {
      const why = faultsToError(opaFaults(built, capabilities)).message;
      throw invalid(`none could be built from the Rego in the bundle, build it from its sources: ${why}`);
    }
    files.set('plan.json', (await readArchive(await readFile(output))).get('plan.json')!);
    return writeArchive(files);
  });
}

function invalid(what: string): GateError {
  const message = `plan.json: missing, and ${what}`;
  return new GateError(FailureType.PolicyInvalid, message, [
    { type: FailureType.PolicyInvalid, message, where: 'plan.json' },
  ]);
}
