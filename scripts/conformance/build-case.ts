import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readArchive } from '../../src/rego/bundle/archive/read-archive';
import type { CapabilitiesTarget } from '../../src/rego/capabilities';
import type { ConformanceCase } from './cases';

export interface Builder {
  opa: string;
  /** a file by target */
  capabilities: Readonly<Record<CapabilitiesTarget, string>>;
  folder: string;
}

/** What `opa build` made of a case, or what it said against it. */
export type Built = { file: Uint8Array } | { error: string };

const OUTPUT = { plan: 'plan.json', wasm: 'policy.wasm' } as const;

export async function buildCase(
  { modules, entrypoint }: ConformanceCase,
  index: number,
  target: CapabilitiesTarget,
  { opa, capabilities, folder }: Builder,
): Promise<Built> {
  const own = join(folder, `${target}-${index}`);
  await mkdir(own, { recursive: true });
  try {
    const files = modules.map((_, number) => join(own, `module-${number}.rego`));
    await Promise.all(files.map((file, number) => writeFile(file, modules[number]!)));
    const bundle = join(own, 'bundle.tar.gz');
    const args = ['build', '-t', target, '-e', entrypoint, '--capabilities', capabilities[target], '-o', bundle];
    const error = await new Promise<string | undefined>((resolve) => {
      // opa build says on stdout what is wrong with a policy
      execFile(opa, [...args, ...files], (failure, stdout, stderr) => resolve(failure ? stdout + stderr : undefined));
    });
    if (error !== undefined) return { error: error.replaceAll(own, '') };
    return { file: (await readArchive(await readFile(bundle))).get(OUTPUT[target])! };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
