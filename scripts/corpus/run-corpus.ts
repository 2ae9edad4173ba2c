import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { withCapabilities } from '../../src/rego/toolchain/opa';
import { reportOf, type CorpusReport } from './report';
import { runUnit, type UnitResult, type Variations } from './run-unit';
import { copyLibraries, copyUnit, findUnits } from './units';

/**
 * Compares every policy below a folder with OPA, by the policies' own samples and tests.
 *
 * @param libraries folders whose Rego belongs to every unit
 * @param progress told a line for each unit
 */
export async function runCorpus(
  folder: string,
  libraries: readonly string[] = [],
  variations: Variations = { count: 0, seed: 1 },
  progress: (line: string) => void = () => undefined,
): Promise<CorpusReport> {
  const root = resolve(folder);
  const names = await findUnits(root);
  const results: UnitResult[] = [];
  const scratch = await mkdtemp(join(tmpdir(), 'planning-engine-corpus-'));
  try {
    const shared = await copyLibraries(
      libraries.map((one) => resolve(one)),
      join(scratch, 'libraries'),
    );
    await withCapabilities(async (capabilities) => {
      for (const [at, name] of names.entries()) {
        const dir = join(scratch, `unit-${at}`);
        const result = await runUnit(root, await copyUnit(root, name, shared, dir), capabilities, variations);
        await rm(dir, { recursive: true });
        results.push(result);
        const { compared, differences } = result;
        progress(`${at + 1} of ${names.length}: ${name}, ${compared} compared, ${differences.length} different`);
      }
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return reportOf(results);
}
