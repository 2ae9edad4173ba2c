import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JsonObject } from '../src/kernel/json';
import { installPythonPackages } from '../test/support/python-packages';

const run = promisify(execFile);
const VERSION = '1.0.4';
const OLDEST_MINOR = 12;
const SOLVE_WITHIN_MS = 300_000;

/** What Rebalancer does with a state: the node of each shard, and the time that its solver took. */
export interface Rebalanced {
  seconds: number;
  assignment: Record<string, string>;
}

/** Its local search: moves alone, or exchanges too, as its README sets it up. */
export type RebalancerMoves = 'single' | 'swap';

/** @see https://github.com/facebook/rebalancer */
export interface Rebalancer {
  version: string;
  balance(state: JsonObject, moves: RebalancerMoves): Promise<Rebalanced>;
}

/** Meta's Rebalancer, in a virtual environment in the cache folder; why not, as a text, where this machine cannot have it. */
export async function openRebalancer(): Promise<Rebalancer | string> {
  const installed = await installPythonPackages({
    name: 'rebalancer',
    version: VERSION,
    pythons: pythons(),
    oldestMinor: OLDEST_MINOR,
    packages: [`rebalancer==${VERSION}`],
  });
  if (typeof installed === 'string') return installed;
  const python = join(installed.folder, 'python');
  return {
    version: VERSION,
    async balance(state, moves) {
      const folder = await mkdtemp(join(tmpdir(), 'gate-rebalancer-'));
      try {
        const file = join(folder, 'state.json');
        await writeFile(file, JSON.stringify(state));
        const options = { timeout: SOLVE_WITHIN_MS, maxBuffer: 2 ** 26 };
        const { stdout } = await run(python, [join(__dirname, 'rebalancer-peer.py'), file, moves], options);
        return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Rebalanced;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Where a Python is looked for: `$REBALANCER_PYTHON`, then those of pyenv, then the one on the PATH. */
function pythons(): string[] {
  const chosen = process.env.REBALANCER_PYTHON;
  const versions = join(homedir(), '.pyenv', 'versions');
  const found = foldersIn(versions).filter((name) => {
    const minor = /^3\.(\d+)/.exec(name)?.[1];
    return minor !== undefined && Number(minor) >= OLDEST_MINOR;
  });
  const ofPyenv = found.sort().map((name) => join(versions, name, 'bin', 'python'));
  return [...(chosen === undefined || chosen === '' ? [] : [chosen]), ...ofPyenv, 'python3'];
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
