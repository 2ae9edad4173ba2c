import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { userCacheFolder, userDataFolder } from '../../../src/platform/files/user-folders';

describe("this user's folders", () => {
  it.each<[NodeJS.ProcessEnv, string, string]>([
    [{ XDG_DATA_HOME: '/d', XDG_CACHE_HOME: '/c' }, '/d/planning-engine/x', '/c/planning-engine/x'],
    [{ HOME: '/h' }, '/h/.local/share/planning-engine/x', '/h/.cache/planning-engine/x'],
    [
      { HOME: '/h', XDG_DATA_HOME: '', XDG_CACHE_HOME: '' },
      '/h/.local/share/planning-engine/x',
      '/h/.cache/planning-engine/x',
    ],
    [
      { HOME: '/h', XDG_DATA_HOME: 'relative', XDG_CACHE_HOME: './c' },
      '/h/.local/share/planning-engine/x',
      '/h/.cache/planning-engine/x',
    ],
    [{}, join(homedir(), '.local/share/planning-engine/x'), join(homedir(), '.cache/planning-engine/x')],
  ])("this user's folders are, with %j, %s and %s", (env, data, cache) => {
    expect([userDataFolder('x', env), userCacheFolder('x', env)]).toEqual([data, cache]);
  });
});
