import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Imports a module by its file URL; by default Node's own `import`. */
export type ImportModule = (url: string) => Promise<unknown>;

/**
 * A function that a module of the user's own exports by name; undefined where it exports none of that name.
 *
 * @param module a path relative to `folder`, or a package found from there
 * @throws what the module throws while it loads; an error that says where it was looked for when there is no such module
 */
export async function importFunction(
  module: string,
  name: string,
  folder: string,
  importModule: ImportModule = (url) => import(url),
): Promise<((...args: unknown[]) => unknown) | undefined> {
  const path = resolveModule(module, folder);
  const loaded = (await importModule(pathToFileURL(path).href)) as
    (Partial<Record<string, unknown>> & { default?: Partial<Record<string, unknown>> | null }) | null;
  // A CommonJS module seen through `import` has its exports under `default`.
  const found = loaded?.[name] ?? loaded?.default?.[name];
  return typeof found === 'function' ? (found as (...args: unknown[]) => unknown) : undefined;
}

/** Node's own message lists what required what, none of which is the user's. */
function resolveModule(module: string, folder: string): string {
  try {
    return createRequire(join(folder, 'noop.js')).resolve(module);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    const isPath = module.startsWith('.') || isAbsolute(module);
    const where = isPath ? `at ${resolve(folder, module)}` : `of that name among the packages of ${folder}`;
    throw new Error(`there is no module ${where}`, { cause: error });
  }
}
