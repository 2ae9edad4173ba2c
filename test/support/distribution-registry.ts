import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { freePorts } from '../../src/dev/free-ports';
import { startHttpChild } from '../../src/dev/http-child';
import { canHaveGoProgram, findGoProgram, type GoProgram } from './go-program';

const DISTRIBUTION: GoProgram = {
  name: 'registry',
  version: 'v3.1.0',
  package: 'github.com/distribution/distribution/v3/cmd/registry',
  module: 'github.com/distribution/distribution/v3',
  sum: 'h1:u1v788HreKTLGdNY6s7px8Exgrs9mZ9UrCDjSrpCM8g=',
};

const debian = (): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((entry) => join(entry, 'docker-registry'))
    .find((path) => existsSync(path));

/** Real registries of the distribution project: Debian's docker-registry 2.8, and version 3.1. */
export type DistributionMake = 'docker-registry' | 'distribution';

export const canHaveDistribution = (make: DistributionMake): boolean =>
  make === 'docker-registry' ? debian() !== undefined : canHaveGoProgram(DISTRIBUTION);

/** The binary; version 3.1 is built once where it is not in the cache folder. */
export async function findDistribution(make: DistributionMake): Promise<string> {
  if (make === 'distribution') return findGoProgram(DISTRIBUTION);
  const found = debian();
  if (found === undefined) throw new Error('expected docker-registry on the PATH: apt-get install docker-registry');
  return found;
}

/**
 * One on loopback, which keeps its content below `folder`.
 *
 * @param more of its settings
 */
export async function startDistribution(
  make: DistributionMake,
  folder: string,
  more: { auth?: object; validation?: object } = {},
): Promise<{ host: string; pid: number; stop(): Promise<void> }> {
  const command = await findDistribution(make);
  const [port] = await freePorts(1);
  const host = `127.0.0.1:${port}`;
  await mkdir(join(folder, 'content'), { recursive: true });
  const settings = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(folder, 'content') }, delete: { enabled: true } },
    http: { addr: host },
    ...more,
  };
  const file = join(folder, 'registry.yml');
  await writeFile(file, JSON.stringify(settings));
  const { pid, stop } = await startHttpChild({
    what: 'the registry',
    command,
    args: ['serve', file],
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
    endpoint: `http://${host}/v2/`,
    logFile: join(folder, 'registry.log'),
  });
  return { host, pid, stop };
}
