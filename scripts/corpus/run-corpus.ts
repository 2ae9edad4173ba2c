import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { withCapabilities } from '../../src/rego/toolchain/opa';
import { reportOf, type CorpusReport } from './report';
import { runUnit, type UnitResult } from './run-unit';
import { copyUnit, findUnits } from './units';

/**
 * Compares every policy below a folder with OPA, by the policies' own samples and tests.
 *
 * @param libraries folders whose Rego belongs to every unit
 * @param progress told a line for each unit
 */
export async function runCorpus(
  folder: string,
  libraries: readonly string[] = [],
  progress: (line: string) => void = () => undefined,
): Promise<CorpusReport> {
  const root = resolve(folder);
  const names = await findUnits(root);
  const results: UnitResult[] = [];
  await withCapabilities(async (capabilities) => {
    for (const [at, name] of names.entries()) {
      const dir = await mkdtemp(join(tmpdir(), 'planning-engine-corpus-'));
      try {
        const unit = await copyUnit(
          root,
          name,
          libraries.map((one) => resolve(one)),
          join(dir, 'unit'),
        );
        const result = await runUnit(root, unit, capabilities);
        results.push(result);
        progress(
          `${at + 1} of ${names.length}: ${name}, ${result.compared} compared, ${result.differences.length} different`,
        );
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    }
  });
  return reportOf(results);
}
