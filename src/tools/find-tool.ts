import { homedir } from 'node:os';
import { join } from 'node:path';

export async function findTool(name: 'opa'): Promise<{ path: string; version: string; from: string }> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const version = '1.22.2';
  const given = process.env.PLANNING_ENGINE_OPA;
  return { path: given ?? join(cache, 'planning-engine', 'tools', name, version, name), version, from: 'cache' };
}
