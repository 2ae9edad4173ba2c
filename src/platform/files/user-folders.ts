import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

// What is kept for this user where no setting says otherwise (XDG Base Directory Specification,
// https://specifications.freedesktop.org/basedir-spec): a variable that is empty or holds a relative path counts as unset.

/** A folder of what must last: `$XDG_DATA_HOME/planning-engine/NAME`, by default below `~/.local/share`. */
export function userDataFolder(name: string, env: NodeJS.ProcessEnv): string {
  return folderOf(env.XDG_DATA_HOME, ['.local', 'share'], name, env);
}

/** A folder of what can be had again: `$XDG_CACHE_HOME/planning-engine/NAME`, by default below `~/.cache`. */
export function userCacheFolder(name: string, env: NodeJS.ProcessEnv): string {
  return folderOf(env.XDG_CACHE_HOME, ['.cache'], name, env);
}

function folderOf(base: string | undefined, usual: string[], name: string, env: NodeJS.ProcessEnv): string {
  const isSet = base !== undefined && isAbsolute(base);
  return join(isSet ? base : join(env.HOME || homedir(), ...usual), 'planning-engine', name);
}
