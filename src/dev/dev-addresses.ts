import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userDataFolder } from '../platform/files/user-folders';

/** Where a running `gate dev` is; other commands read it unless they are told otherwise. */
export interface DevAddresses {
  pid: number;
  temporalAddress: string;
  namespace: string;
  uiUrl: string;
  /** settings file of its worker */
  settings: string;
  levelServer: string;
  /** of the stand-in for a shard manager */
  shardManager: string;
  alertReceiver: string;
  /** of rule policies; absent with `--no-server` */
  server?: string;
}

export function devFolder(env: NodeJS.ProcessEnv): string {
  return userDataFolder('dev', env);
}

export function writeDevAddresses(folder: string, addresses: DevAddresses): void {
  const path = join(folder, 'addresses.json');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600 });
}

export function removeDevAddresses(folder: string): void {
  rmSync(join(folder, 'addresses.json'), { force: true });
}

/** undefined when no `gate dev` runs; a file that a killed one left behind counts as none. */
export function readDevAddresses(env: NodeJS.ProcessEnv): DevAddresses | undefined {
  try {
    const addresses = JSON.parse(readFileSync(join(devFolder(env), 'addresses.json'), 'utf8')) as DevAddresses;
    process.kill(addresses.pid, 0);
    return addresses;
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
    return JSON.parse(readFileSync(join(devFolder(env), 'addresses.json'), 'utf8')) as DevAddresses;
  }
}
