import { randomUUID } from 'node:crypto';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FailureType, GateError } from '../../kernel/failures';
import { AUDIT_STORE, type StoreKind } from './store-kind';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity';

const LOCK_FILE = 'owner.lock';
/** The owner touches its lock this often, for those who cannot see its process: containers that share a volume. */
const HEARTBEAT_MS = 10_000;
/** A lock of another host that was not touched for this long is a dead owner's. */
const SILENT_FOR_MS = 60_000;

/** Who holds a folder. The nonce tells this hold from every other, by the same process too. */
export interface LockHolder extends ProcessIdentity {
  nonce: string;
}

export interface FolderLock {
  readonly holder: LockHolder;
  /** gives the folder back; a second call does nothing */
  release(): Promise<void>;
}

/**
 * Makes this process the only owner of `folder`. Two PGlites on one folder lose committed rows, so whoever opens it holds
 * this lock first.
 *
 * A dead owner is succeeded by exactly one: whoever manages to create `owner.lock.after-<nonce of the dead one>`, which
 * the file system lets only one do. The successor then puts its own lock in the dead one's place.
 *
 * @throws GateError ConfigInvalid naming the owner when one lives
 */
export async function lockFolder(folder: string, kind: StoreKind = AUDIT_STORE): Promise<FolderLock> {
  const lockFile = join(folder, LOCK_FILE);
  const holder: LockHolder = { ...(await ownIdentity()), nonce: randomUUID() };
  // Complete before it gets its name: no one ever sees a lock half written.
  const prepared = join(folder, `${LOCK_FILE}.new-${holder.nonce}`);
  await writeFile(prepared, JSON.stringify(holder), { mode: 0o600 });
  try {
    while (!(await tryToTake(lockFile, prepared, kind))) {
      // Someone else took, succeeded or released meanwhile; each turn of this loop is another's progress.
    }
  } finally {
    await unlink(prepared).catch(ignoreAbsence);
  }
  return heldLock(lockFile, holder);
}

/** Who lives and holds the folder now; undefined when it is free. */
export async function findHolder(folder: string): Promise<LockHolder | undefined> {
  const chain = await readChain(join(folder, LOCK_FILE));
  const last = chain.at(-1);
  return last !== undefined && (await isAlive(last)) ? last.holder : undefined;
}

async function tryToTake(lockFile: string, prepared: string, kind: StoreKind): Promise<boolean> {
  const chain = await readChain(lockFile);
  const [first, last] = [chain[0], chain.at(-1)];
  if (first === undefined || last === undefined) return createAs(prepared, lockFile);
  if (await isAlive(last)) throw heldError(lockFile, last.holder, kind);

  const claim = claimOn(lockFile, last.holder);
  if (!(await createAs(prepared, claim))) return false;
  // Had another successor finished meanwhile, the claim's name would have been free again: then the first lock is
  // another one now, and this claim means nothing.
  const stillFirst = await readLock(lockFile);
  if (stillFirst?.holder.nonce !== first.holder.nonce) {
    await unlink(claim);
    return false;
  }
  await rename(prepared, lockFile);
  // Only after the lock itself names its new owner may the claims go.
  for (const { holder } of chain) await unlink(claimOn(lockFile, holder)).catch(ignoreAbsence);
  return true;
}

interface LockOnDisk {
  holder: LockHolder;
  touchedAtMs: number;
}

/** The lock and those who claimed to succeed it, one after the other; the last is the owner. */
async function readChain(lockFile: string): Promise<LockOnDisk[]> {
  const chain: LockOnDisk[] = [];
  for (let next = await readLock(lockFile); next !== undefined; next = await readLock(claimOn(lockFile, next.holder))) {
    chain.push(next);
  }
  return chain;
}

async function readLock(file: string): Promise<LockOnDisk | undefined> {
  try {
    const text = await readFile(file, 'utf8');
    const { mtimeMs } = await stat(file);
    const holder = JSON.parse(text) as LockHolder;
    if (typeof holder.pid !== 'number' || typeof holder.nonce !== 'string') throw new SyntaxError('not a lock');
    return { holder, touchedAtMs: mtimeMs };
  } catch (error) {
    if (isAbsence(error)) return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    throw new GateError(
      FailureType.ConfigInvalid,
      `Expected ${file} to name the owner of the audit store, but it cannot be read; delete it when no worker uses the folder`,
      undefined,
      { cause: error },
    );
  }
}

async function isAlive({ holder, touchedAtMs }: LockOnDisk): Promise<boolean> {
  if (holder.host !== hostname()) return Date.now() - touchedAtMs < SILENT_FOR_MS;
  return isRunning(holder);
}

const claimOn = (lockFile: string, dead: LockHolder) => `${lockFile}.after-${dead.nonce}`;

/** Gives the prepared file a second name, unless there is one already; `link` never replaces. */
async function createAs(prepared: string, name: string): Promise<boolean> {
  try {
    await link(prepared, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function heldLock(lockFile: string, holder: LockHolder): FolderLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(lockFile, now, now).catch(() => undefined);
  }, HEARTBEAT_MS).unref();
  let released: Promise<void> | undefined;
  return {
    holder,
    release: () => (released ??= giveBack()),
  };
  async function giveBack() {
    clearInterval(heartbeat);
    const current = await readLock(lockFile);
    if (current?.holder.nonce === holder.nonce) await unlink(lockFile);
  }
}

function heldError(lockFile: string, { pid, host }: LockHolder, { called, setting }: StoreKind): GateError {
  const elsewhere = host === hostname() ? '' : ` on ${host}`;
  return new GateError(
    FailureType.ConfigInvalid,
    `The embedded ${called} is already open in process ${pid}${elsewhere} (${lockFile}). ` +
      `Only one process can hold it: stop that one, or set ${setting}.url to a PostgreSQL URL that all share`,
  );
}

function isAbsence(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function ignoreAbsence(error: unknown): void {
  if (!isAbsence(error)) throw error;
}
