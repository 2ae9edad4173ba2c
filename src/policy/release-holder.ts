import { FailureType, faultsToError, GateError, type Fault } from '../failures';
import type { ReleaseRef } from '../facts/snapshot';
import type { LoadedConfig, NamedRelease } from './sources/release-source';
import type { PolicyBundle, Release, ReleaseHolder, ReleaseStatus } from './release';

/** A worker evaluates under the release that a snapshot names, which may be one before the newest. */
const RELEASES_KEPT = 4;
/** A release that is written while it is read is read again; one that never holds still is refused. */
const READS_OF_A_MOVING_RELEASE = 3;
/**
 * A refused release is not built again for every asker (actions ask before each attempt), but soon: what it lacked may
 * have come without a change of its files, such as a module or a variable.
 */
const REFUSED_RETRY_MS = 5_000;

export interface ReleaseHolderOptions {
  /** reads the manifest */
  read(): Promise<NamedRelease>;
  where: string;
  /** what a release lacks on this worker; it is refused when there is any */
  check(policy: PolicyBundle, loaded: LoadedConfig): Promise<readonly Fault[]>;
  /** evaluates once; rejects when the policy cannot be evaluated at all */
  smoke(release: Release): Promise<void>;
  nowMs(): number;
  onLoaded?(release: Release): void;
  /** once for every distinct reason; `release` is the one that stays in force */
  onRefused?(error: GateError, release: Release | undefined): void;
}

/** Holds the release in force. A new one is loaded and tried whole, then swapped in by one assignment. */
export function createReleaseHolder(options: ReleaseHolderOptions): ReleaseHolder {
  let current: Release | undefined;
  let recent: readonly Release[] = [];
  /** of what `current` was loaded from */
  let fingerprint: string | undefined;
  /** why the newest release is not in force */
  let refused: GateError | undefined;
  let lastRefusal: { fingerprint: string; error: GateError; atMs: number } | undefined;
  let lastCheckAtMs: number | undefined;
  let lastSuccessfulCheckAtMs: number | undefined;
  let underWay: Promise<Release> | undefined;
  let following: Promise<Release> | undefined;

  async function load(): Promise<Release> {
    lastCheckAtMs = options.nowMs();
    try {
      await takeNewest();
      lastSuccessfulCheckAtMs = options.nowMs();
      refused = undefined;
      lastRefusal = undefined;
    } catch (error) {
      refuse(toGateError(error, options.where));
    }
    return inForce();
  }

  async function takeNewest(): Promise<void> {
    const first = await options.read();
    if (current && first.fingerprint === fingerprint) return;
    if (lastRefusal?.fingerprint === first.fingerprint && options.nowMs() - lastRefusal.atMs < REFUSED_RETRY_MS) {
      throw lastRefusal.error;
    }
    const { named, policy, loaded } = await loadWhole(first);
    try {
      await take(named, policy, loaded);
    } catch (error) {
      throw remember(named, error);
    }
  }

  /** Policy and configuration of one moment: whoever publishes may be halfway through their files. */
  async function loadWhole(
    first: NamedRelease,
  ): Promise<{ named: NamedRelease; policy: PolicyBundle; loaded: LoadedConfig }> {
    let named = first;
    for (let reads = 1; reads <= READS_OF_A_MOVING_RELEASE; reads += 1) {
      const [policy, loaded] = await Promise.allSettled([named.loadPolicy(), named.loadConfig()]);
      const after = await options.read();
      if (after.fingerprint === named.fingerprint) {
        if (policy.status === 'fulfilled' && loaded.status === 'fulfilled') {
          return { named, policy: policy.value, loaded: loaded.value };
        }
        const failed = [policy, loaded].flatMap((part) => (part.status === 'rejected' ? [part.reason as unknown] : []));
        throw remember(named, allFaultsOf(failed, options.where));
      }
      named = after;
    }
    const message = `Expected the release to hold still while it was read, but it changed ${READS_OF_A_MOVING_RELEASE} times (${options.where})`;
    throw new GateError(FailureType.PolicyUnavailable, message);
  }

  async function take(named: NamedRelease, policy: PolicyBundle, loaded: LoadedConfig): Promise<void> {
    const { config, configDocument, configRev } = loaded;
    const ref: ReleaseRef = { policySha: policy.sha, configRev, manifestVersion: named.manifest.version };
    if (current && sameRelease(current.ref, ref)) {
      fingerprint = named.fingerprint;
      return;
    }
    const faults = await options.check(policy, loaded);
    if (faults.length > 0) throw faultsToError(faults);
    const release: Release = Object.freeze({ ref, policy, config, configDocument, loadedAtMs: options.nowMs() });
    await options.smoke(release);
    current = release;
    recent = [release, ...recent.filter((held) => !sameRelease(held.ref, ref))].slice(0, RELEASES_KEPT);
    fingerprint = named.fingerprint;
    options.onLoaded?.(release);
  }

  function remember(named: NamedRelease, cause: unknown): GateError {
    const error = toGateError(cause, options.where);
    lastRefusal = { fingerprint: named.fingerprint, error, atMs: options.nowMs() };
    return error;
  }

  function refuse(error: GateError): void {
    const isNews = refused?.message !== error.message;
    refused = error;
    if (isNews) options.onRefused?.(error, current);
  }

  function inForce(): Release {
    if (current) return current;
    const why = refused ? `: ${refused.message}` : '';
    const message = `No release is loaded from ${options.where}${why}`;
    throw new GateError(FailureType.PolicyUnavailable, message, undefined, { cause: refused });
  }

  /**
   * An asker that comes while a check is under way may know of a change that this check came too early for: it gets the
   * answer of the next one, which all who wait share.
   */
  function refresh(): Promise<Release> {
    if (!underWay) return (underWay = load().finally(() => (underWay = undefined)));
    following ??= underWay
      .catch(() => undefined)
      .then(() => {
        following = undefined;
        return refresh();
      });
    return following;
  }

  return {
    current: inForce,
    find: ({ policySha, configRev }) =>
      recent.find(({ ref }) => ref.policySha === policySha && ref.configRev === configRev),
    refresh,
    status: (): ReleaseStatus => ({
      ...(current ? { ref: current.ref, loadedAtMs: current.loadedAtMs } : {}),
      ...(lastCheckAtMs === undefined ? {} : { lastCheckAtMs }),
      ...(lastSuccessfulCheckAtMs === undefined ? {} : { lastSuccessfulCheckAtMs }),
      ...(refused ? { lastError: refused.message } : {}),
    }),
  };
}

/** The digests and the version: a decision's record names all three. */
export function sameRelease(one: ReleaseRef, other: ReleaseRef): boolean {
  return (
    one.policySha === other.policySha &&
    one.configRev === other.configRev &&
    one.manifestVersion === other.manifestVersion
  );
}

/** One error for what is wrong with the policy and with the configuration, so that both can be mended at once. */
function allFaultsOf(errors: readonly unknown[], where: string): GateError {
  const [first, ...others] = errors.map((error) => toGateError(error, where));
  if (first !== undefined && others.length === 0) return first;
  return faultsToError([first, ...others].flatMap((error) => error?.faults ?? []));
}

function toGateError(error: unknown, where: string): GateError {
  if (error instanceof GateError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `The release could not be loaded from ${where}: ${reason}`;
  return new GateError(FailureType.PolicyUnavailable, message, undefined, { cause: error });
}
