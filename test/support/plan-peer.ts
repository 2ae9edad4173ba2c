import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningServer } from '../../src/server';
import { programPath, type BuiltProgram } from './cached-program';
import { startPlanServer } from './plan-server';

/** A client of others, and the server of plans that it is tested with. */
export interface PlanPeer {
  /** where the program is */
  program: string;
  /** its home, and that of the server's store */
  folder: string;
  server: RunningServer;
  stop(): Promise<void>;
}

/** Builds the program where that is not in the cache folder: `FIRST_BUILD_MS` is enough time. */
export async function startPlanPeer(peer: BuiltProgram): Promise<PlanPeer> {
  const program = await programPath(peer);
  const folder = await mkdtemp(join(tmpdir(), `gate-${peer.name}-`));
  const server = await startPlanServer(folder);
  return {
    ...{ program, folder, server },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
