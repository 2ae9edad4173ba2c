import { startServer, type RunningServer } from '../../src/server';
import { parseSettings } from '../../src/settings/load-settings';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

/** A `gate server` without tokens and without a worker, in this process; its embedded store is `store` in the folder. */
export function startPlanServer(
  folder: string,
  { port = 0, url }: { port?: number; url?: string } = {},
): Promise<RunningServer> {
  const store = url === undefined ? { folder: `${folder}/store` } : { url };
  const document = { audit: { store, stdout: false }, server: { port } };
  const settings = parseSettings(document as never, { file: 'test' }, folder);
  return startServer({ settings, baseDir: folder }, { worker: false, env: {}, logger: silent as never });
}
