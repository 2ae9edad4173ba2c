import { stat, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import type { PolicySurroundings } from '../policies/compile-policy';
import type { ImagePolicySet } from '../policies/image-policy';
import type { ImagePolicySourceDocument } from '../policies/read-image-policies';
import { loadImagePolicies } from '../sources/load-image-policies';

/** Policies as they are in force. */
export interface PoliciesInForce {
  set: ImagePolicySet;
  /** SHA-256 of what they say */
  revision: string;
}

export interface PolicyFolder {
  /**
   * The policies of the files as they are now. Where these have faults, the last good ones stay.
   *
   * @throws GateError ConfigInvalid with every fault, if no good ones were ever loaded
   */
  current(): Promise<PoliciesInForce>;
}

export interface PolicyFolderOptions {
  /** a file or a folder; undefined for `more` alone */
  path: string | undefined;
  /** policies that are in no file of the folder */
  more?: readonly ImagePolicySourceDocument[];
  surroundings: PolicySurroundings;
  /** called once for each state of the files that has faults while earlier policies stay in force */
  onRefused(error: unknown): void;
  /** called when others come into force */
  onLoaded?(policies: PoliciesInForce): void;
}

/** At reading files that change while they are read; then the earlier policies stay, until the next call. */
const ATTEMPTS = 5;

/**
 * Policies of files, read again when the files or the keys that they name change; a change is taken whole or not at all, and
 * one that comes while they are read is not missed.
 */
export function createPolicyFolder({
  path,
  more = [],
  surroundings,
  onRefused,
  onLoaded,
}: PolicyFolderOptions): PolicyFolder {
  let stamp: string | undefined;
  let loaded: PoliciesInForce | undefined;
  let keys: readonly string[] = [];

  async function refresh(): Promise<PoliciesInForce> {
    for (let attempt = 1; ; attempt += 1) {
      const before = await stampOf(path, keys);
      if (loaded !== undefined && before === stamp) return loaded;
      const read = await loadImagePolicies(path, surroundings, { more }).then(
        (set) => ({ set }),
        (error: unknown) => ({ error }),
      );
      if ('set' in read) keys = keysOf(read.set);
      // What changed meanwhile may be in some of what was read and not in the rest; keys are known only now.
      const isOneState = before === (await stampOf(path, keys));
      if (!isOneState && attempt < ATTEMPTS) continue;
      if (!isOneState && loaded !== undefined) return loaded;
      if ('set' in read) {
        loaded = { set: read.set, revision: revisionOf(read.set) };
        stamp = isOneState ? before : undefined;
        onLoaded?.(loaded);
        return loaded;
      }
      if (loaded === undefined) throw read.error;
      stamp = before;
      onRefused(read.error);
      return loaded;
    }
  }

  let reading: Promise<PoliciesInForce> | undefined;
  return {
    current() {
      reading ??= refresh().finally(() => (reading = undefined));
      return reading;
    },
  };
}

/** The same for the same policies and keys, whatever files they are in. */
export function revisionOf({ policies }: ImagePolicySet): string {
  const said = policies.map(({ document, signature }) => ({
    document,
    ...(signature === undefined ? {} : { key: signature.keyFile }),
  }));
  return sha256(canonicalJson(said));
}

function keysOf({ policies, places }: ImagePolicySet): string[] {
  return policies.flatMap(({ id, signature }) =>
    signature === undefined ? [] : [resolve(dirname(places.get(id)?.file ?? '.'), signature.keyFile)],
  );
}

async function stampOf(path: string | undefined, keys: readonly string[]): Promise<string> {
  const files = [...(path === undefined ? [] : await filesOf(path)), ...keys];
  const stamps = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file).catch(() => undefined);
      return `${file} ${found?.size} ${found?.mtimeMs} ${found?.ctimeMs} ${found?.ino}`;
    }),
  );
  return stamps.sort().join('\n');
}

async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => undefined);
  return entries?.map(({ parentPath, name }) => join(parentPath, name)) ?? [path];
}
