import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type BundleOptions, type WorkflowBundle } from '@temporalio/worker';

const ROOT = resolve(__dirname, '..', '..');
const FOLDER = join(ROOT, 'node_modules', '.cache', 'planning-engine', 'workflow-bundles');

/**
 * A bundle of workflows, made once for all suites and kept on disk under the digest of what it is made from: webpack
 * computes for seconds, and every suite is a program of its own.
 *
 * @param options `webpackConfigHook` is taken for the same as long as the sources below `test` are
 */
export async function keptBundle(options: BundleOptions): Promise<WorkflowBundle> {
  const path = join(FOLDER, `${keyOf(options)}.js`);
  if (existsSync(path)) return { code: readFileSync(path, 'utf8') };
  const { code } = await bundleWorkflowCode({ logger: new DefaultLogger('ERROR'), ...options });
  mkdirSync(FOLDER, { recursive: true });
  // Renamed into place: several suites make it side by side at first.
  const part = `${path}.${process.pid}`;
  writeFileSync(part, code);
  renameSync(part, path);
  removeOld();
  return { code };
}

/** A bundle is 3 MB, and each change of a source makes others. */
function removeOld(): void {
  const olderThanMs = Date.now() - 24 * 3_600_000;
  for (const name of readdirSync(FOLDER)) {
    const path = join(FOLDER, name);
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? olderThanMs) < olderThanMs)
      rmSync(path, { force: true });
  }
}

function keyOf({ logger: _logger, webpackConfigHook, ...options }: BundleOptions): string {
  const digest = createHash('sha256');
  digest.update(JSON.stringify({ ROOT, node: process.version, options, isHooked: webpackConfigHook !== undefined }));
  const sources = ['src', 'test', 'examples'].flatMap((folder) => sourcesIn(join(ROOT, folder)));
  for (const file of [...sources, join(ROOT, 'package-lock.json'), join(ROOT, 'node_modules', '.package-lock.json')]) {
    // What npm installed is not written down by other package managers.
    const bytes = existsSync(file) ? readFileSync(file) : Buffer.of();
    digest.update(`${relative(ROOT, file)} ${bytes.length}\n`).update(bytes);
  }
  return digest.digest('hex').slice(0, 32);
}

/** Every source but the suites, which no workflow imports. */
function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
