import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One process, for ever: a pid alone is used again after its process has ended. */
export interface ProcessIdentity {
  pid: number;
  /** when it started, in the words of the system; opaque, only compared */
  startedAt: string;
  host: string;
}

let own: Promise<ProcessIdentity> | undefined;

export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= startOf(process.pid).then((startedAt) => {
    if (startedAt === undefined) throw new Error(`Cannot find out when process ${process.pid} (this one) started`);
    return { pid: process.pid, startedAt, host: hostname() };
  });
  return own;
}

/** Whether the very process that `identity` names still runs on this machine. A zombie counts as ended. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await startOf(identity.pid)) === identity.startedAt;
}

/** When the process with this pid started; undefined when there is no such process. */
async function startOf(pid: number): Promise<string | undefined> {
  return process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    ]);
    // The command's name, in parentheses, may hold spaces and parentheses itself: count fields from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    // Ticks count from boot, so a pid of before a restart of the machine could match by chance without the boot's id.
    return state === 'Z' || state === 'X' ? undefined : `${bootId.trim()}+${startTicks}`;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** macOS and the BSDs: `ps` gives the start to the second, and no line for a process that is not there. */
export async function startByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      env: { ...process.env, LC_ALL: 'C' },
    });
    const [state, ...start] = stdout.trim().split(/\s+/);
    return state === undefined || state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch (error) {
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw error;
  }
}
