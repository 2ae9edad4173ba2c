import { freePorts } from '../../src/dev/free-ports';
import { startHttpChild } from '../../src/dev/http-child';
import { findTool } from '../../src/platform/tools/find-tool';

/** go-containerregistry's registry in memory (`crane registry serve`), a real one of another make, on loopback. */
export async function startCraneRegistry(logFile: string): Promise<{ host: string; stop(): Promise<void> }> {
  const { path } = await findTool('crane');
  const [port] = await freePorts(1);
  const host = `localhost:${port}`;
  const { stop } = await startHttpChild({
    what: 'the registry',
    command: path,
    args: ['registry', 'serve', '--address', host],
    env: process.env,
    endpoint: `http://${host}/v2/`,
    logFile,
  });
  return { host, stop };
}
