import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { FailureType, type Fault } from '../../kernel/failures';
import type { ReleaseConfig } from '../../releases/config/release-config';
import { namesOf } from '../facts/allowed-names';

/**
 * Relative paths of a configuration that lead to no file where a worker will look for them. In place they may have worked:
 * a configuration that is published lies elsewhere. Modules are looked for when their providers are built.
 *
 * @param configFolder what a worker starts relative paths from
 * @param inPlace what they start from where the author has the file, where that is known
 */
export async function unresolvedNames(
  { facts }: Pick<ReleaseConfig, 'facts'>,
  configFolder: string,
  inPlace?: string,
): Promise<Fault[]> {
  const named = Object.entries(facts).flatMap(([factId, config]) =>
    namesOf(config).map((name) => ({ factId, ...name })),
  );
  const faults = await Promise.all(
    named.map(async ({ factId, kind, name, at }): Promise<Fault[]> => {
      if (kind !== 'files' || isAbsolute(name)) return [];
      const path = resolve(configFolder, name);
      if (await isFile(path)) return [];
      const where = ['facts', factId, ...at].join('.');
      const author = inPlace === undefined ? undefined : resolve(inPlace, name);
      const differs = author !== undefined && author !== path && (await isFile(author)) ? `; here it is ${author}` : '';
      const message = `${where}: expected ${name} to lead to a file where a worker looks for it, at ${path}, found none${differs}. Name it by its whole path`;
      return [{ type: FailureType.ConfigInvalid, message, where, factId }];
    }),
  );
  return faults.flat();
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isDirectory();
}
