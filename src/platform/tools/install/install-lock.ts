import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;
/** A lock without a readable pid is one whose owner is just writing it, or died doing so; this long tells them apart. */
const UNREADABLE_GRACE_MS = 5_000;

/**
 * Runs `work` while holding the lock file `path` (exclusive create; holds the owner's pid). Others wait until it is free;
 * the lock of a process that is no more is taken over. The lock is released however `work` ends.
 *
 * @param options.onWait called once, with the owner's pid, when there is something to wait for
 * @param options.signal ends the waiting, with its reason
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { onWait, signal }: { onWait?: (pid: number | undefined) => void; signal?: AbortSignal } = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await tryTake(path))) {
    if (await isAbandoned(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!told) onWait?.(await ownerOf(path));
    told = true;
    await delay(POLL_MS);
    signal?.throwIfAborted();
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryTake(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function ownerOf(path: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

async function isAbandoned(path: string): Promise<boolean> {
  const pid = await ownerOf(path);
  if (pid === undefined) {
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    return age > UNREADABLE_GRACE_MS;
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
