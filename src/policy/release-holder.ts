import { FailureType, faultsToError, GateError, type Fault } from '../failures';
import type { ReleaseRef } from '../facts/snapshot';
import type { LoadedConfig, NamedRelease } from './sources/release-source';
import type { PolicyBundle, Release, ReleaseHolder, ReleaseStatus } from './release';

/** A worker evaluates under the release that a snapshot names, which may be one before the newest. */
const RELEASES_KEPT = 4;

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
  let fingerprint: string | undefined;
  let refused: GateError | undefined;
  let lastCheckAtMs: number | undefined;
  let lastSuccessfulCheckAtMs: number | undefined;
  let underWay: Promise<Release> | undefined;

  async function load(): Promise<Release> {
    lastCheckAtMs = options.nowMs();
    try {
      const named = await options.read();
      if (named.fingerprint !== fingerprint || !current || refused) await take(named);
      lastSuccessfulCheckAtMs = options.nowMs();
      refused = undefined;
    } catch (error) {
      refuse(toGateError(error, options.where));
    }
    return inForce();
  }

  async function take(named: NamedRelease): Promise<void> {
    const [policy, loaded] = await Promise.all([named.loadPolicy(), named.loadConfig()]);
    const ref: ReleaseRef = { policySha: policy.sha, configRev: loaded.configRev, manifestVersion: named.manifest.version };
    if (current && sameRelease(current.ref, ref)) {
      fingerprint = named.fingerprint;
      return;
    }
    const faults = await options.check(policy, loaded);
    if (faults.length > 0) throw faultsToError(faults);
    const { config, configDocument } = loaded;
    const release: Release = Object.freeze({ ref, policy, config, configDocument, loadedAtMs: options.nowMs() });
    await options.smoke(release);
    current = release;
    recent = [release, ...recent.filter((held) => !sameRelease(held.ref, ref))].slice(0, RELEASES_KEPT);
    fingerprint = named.fingerprint;
    options.onLoaded?.(release);
  }

  function refuse(error: GateError): void {
    const isNews = refused?.message !== error.message;
    refused = error;
    if (isNews) options.onRefused?.(error, current);
  }

  function inForce(): Release {
    if (current) return current;
    const why = refused ? `: ${refused.message}` : '';
    throw new GateError(FailureType.PolicyUnavailable, `No release is loaded from ${options.where}${why}`, undefined, { cause: refused });
  }

  return {
    current: inForce,
    find: ({ policySha, configRev }) =>
      recent.find(({ ref }) => ref.policySha === policySha && ref.configRev === configRev),
    // Askers that come while a check is under way share its answer.
    refresh: () => (underWay ??= load().finally(() => (underWay = undefined))),
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

function toGateError(error: unknown, where: string): GateError {
  if (error instanceof GateError) return error;
  const message = `The release could not be loaded from ${where}: ${error instanceof Error ? error.message : String(error)}`;
  return new GateError(FailureType.PolicyUnavailable, message, undefined, { cause: error });
}
