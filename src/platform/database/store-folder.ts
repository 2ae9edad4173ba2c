import { resolve } from 'node:path';
import { userDataFolder } from '../files/user-folders';

/**
 * Where the embedded store lies: the folder of the settings (relative to the settings file), else
 * `$XDG_DATA_HOME/planning-engine/store`.
 */
export function storeFolder(configured: string | undefined, baseDir: string, env: NodeJS.ProcessEnv): string {
  if (configured !== undefined) return resolve(baseDir, configured);
  return userDataFolder('store', env);
}
