import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType, GateError } from '../../kernel/failures';
import { syncFolder } from '../../platform/files/write-durably';

/** When the manifest was published that a worker accepted last, across restarts. */
export interface AcceptedTimes {
  /**
   * Epoch milliseconds; undefined when none was accepted yet.
   *
   * @throws GateError PolicyUnavailable when that cannot be told
   */
  last(): Promise<number | undefined>;
  /** durable when it resolves; an earlier time than the last changes nothing. Rejects with the file system's error */
  raise(atMs: number): Promise<void>;
}

const NAME = /^\d{1,16}$/;

/**
 * One empty file in `folder` whose name is the time: two workers of a machine that raise it at once cannot lower it, and none can
 * be half written. For this user's eyes only.
 */
export function createAcceptedTimes(folder: string): AcceptedTimes {
  const times = async (): Promise<number[]> => {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
      const message = `Which manifest was accepted last cannot be read from ${folder} (${error.code ?? error.message})`;
      throw new GateError(FailureType.PolicyUnavailable, message, undefined, { cause: error });
    });
    return names.filter((name) => NAME.test(name)).map(Number);
  };
  return {
    last: async () => {
      const found = await times();
      return found.length === 0 ? undefined : Math.max(...found);
    },
    raise: async (atMs) => {
      const before = await times();
      if (before.some((known) => known >= atMs)) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await (await open(join(folder, String(atMs)), 'w', 0o600)).close();
      await syncFolder(folder);
      for (const known of before) await rm(join(folder, String(known)), { force: true });
    },
  };
}
