import { isSameRelease } from './release-ref';
import { FailureType, faultsToError, GateError } from '../kernel/failures';
import { within, type Timers } from '../kernel/timers';
import { loadParts, toGateError, type ReleaseCheck } from './load-parts';
import type { ReleaseRef } from './release-ref';
import type { Manifest } from './manifest';
import type { LoadedConfig, NamedRelease } from './sources/release-source';
import type { VerifiedSignature } from './signing/verified-signature';
import type { Release, ReleaseHolder, ReleaseStatus } from './release';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';

/** A worker evaluates under the release that a snapshot names, which may be one before the newest. */
const RELEASES_KEPT = 4;
/** A release that is written while it is read is read again; one that never holds still is refused. */
const READS_OF_A_MOVING_RELEASE = 3;
/**
 * A refused release is not built again for every attempt of an action that wants its lease confirmed, but soon: what it
 * lacked may have come without a change of its files, such as a module or a variable. Who asks for a refresh gets one.
 */
const REFUSED_RETRY_MS = 5_000;
/** Longer than a request to an object store with its repetitions takes, and the evaluation of a configuration after it. */
const CHECK_DEADLINE_MS = 60_000;
/** A manifest is small: a worker that starts must not wait longer for it before it looks at what is kept on disk. */
const READ_DEADLINE_MS = 15_000;

export interface ReleaseHolderOptions {
  /** reads the manifest */
  read(): Promise<NamedRelease>;
  where: string;
  /** what a release lacks on this worker; it is refused when there is any */
  check: ReleaseCheck;
  /** evaluates once; rejects when the policy cannot be evaluated at all */
  smoke(release: Release): Promise<void>;
  nowMs(): number;
  timers: Timers;
  /** what is kept on disk; asked when the source is out of reach and no release is in force */
  readKept?(): Promise<NamedRelease | undefined>;
  /** a check that takes longer is given up, so that the next one can come; @default 60000 */
  deadlineMs?: number;
  onLoaded?(release: Release, fromCache: boolean): void;
  /**
   * Once for every distinct reason, and once for a source that is out of reach, however often that says something else;
   * `release` is the one that stays in force, `manifest` what was read last.
   */
  onRefused?(error: GateError, release: Release | undefined, manifest: Manifest | undefined): void;
  /** each time that the newest release is the one in force; `recovered` when the check before found otherwise */
  onChecked?(release: Release, recovered: boolean): void;
}

/** One look at the source. Given up, it changes nothing any more: a later one may have swapped already. */
interface Check {
  isGivenUp: boolean;
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
  let lastManifest: Manifest | undefined;
  let lastCheckAtMs: number | undefined;
  let lastSuccessfulCheckAtMs: number | undefined;
  let fromCache = false;
  /** of the manifest that named the release in force last */
  let source: { signature?: VerifiedSignature; publishedAt?: string } = {};
  let underWay: Promise<GateError | undefined> | undefined;
  let following: Promise<GateError | undefined> | undefined;
  /** the next look tries a refused release again, however short ago that was */
  let isRefreshAsked = false;

  /** @returns why the newest release is not in force; undefined when it is */
  async function look(): Promise<GateError | undefined> {
    const check: Check = { isGivenUp: false };
    lastCheckAtMs = options.nowMs();
    if (isRefreshAsked) lastRefusal = undefined;
    isRefreshAsked = false;
    try {
      await endingInTime(check, takeNewest(check));
    } catch (error) {
      const unkept = toGateError(error, options.where);
      const reason = current ? unkept : await startFromKept(unkept);
      refuse(reason);
      return reason;
    }
    const recovered = refused !== undefined;
    lastSuccessfulCheckAtMs = options.nowMs();
    refused = undefined;
    lastRefusal = undefined;
    fromCache = false;
    options.onChecked?.(inForce(), recovered);
    return undefined;
  }

  const inTime = <T>(ms: number, work: Promise<T>, late: () => GateError): Promise<T> =>
    within(options.timers, ms, work, late, { background: true });

  function endingInTime(check: Check, work: Promise<void>): Promise<void> {
    const deadlineMs = options.deadlineMs ?? CHECK_DEADLINE_MS;
    return inTime(deadlineMs, work, () => {
      check.isGivenUp = true;
      return unread(`The release could not be loaded from ${options.where} within ${deadlineMs} ms`);
    });
  }

  function read(): Promise<NamedRelease> {
    const withinMs = Math.min(READ_DEADLINE_MS, options.deadlineMs ?? CHECK_DEADLINE_MS);
    const message = `The manifest ${options.where} could not be read within ${withinMs} ms`;
    return inTime(withinMs, options.read(), () => unread(message));
  }

  async function takeNewest(check: Check): Promise<void> {
    lastManifest = undefined;
    const first = await read();
    lastManifest = first.manifest;
    if (current && first.fingerprint === fingerprint) return;
    if (lastRefusal?.fingerprint === first.fingerprint && options.nowMs() - lastRefusal.atMs < REFUSED_RETRY_MS) {
      throw lastRefusal.error;
    }
    const { named, policy, loaded } = await loadWhole(first);
    try {
      await take(check, named, policy, loaded);
    } catch (error) {
      throw remember(named, error);
    }
  }

  /** The last good release from the disk, while its source is out of reach; why it is not the newest, all in all. */
  async function startFromKept(cause: GateError): Promise<GateError> {
    if (cause.type !== FailureType.PolicyUnavailable || options.readKept === undefined) return cause;
    const check: Check = { isGivenUp: false };
    try {
      const { readKept } = options;
      const load = async (): Promise<void> => {
        const named = await readKept();
        if (named === undefined) return;
        const { policy, loaded } = await loadParts(named, options.check, 'the disk');
        await take(check, named, policy, loaded, true);
      };
      await endingInTime(check, load());
      return cause;
    } catch (error) {
      const kept = toGateError(error, 'the disk');
      return new GateError(cause.type, `${cause.message}; ${kept.message}`, [...cause.faults, ...kept.faults], {
        cause,
      });
    }
  }

  /** Policy and configuration of one moment: whoever publishes may be halfway through their files. */
  async function loadWhole(
    first: NamedRelease,
  ): Promise<{ named: NamedRelease; policy: PolicyBundle; loaded: LoadedConfig }> {
    let named = first;
    for (let reads = 1; reads <= READS_OF_A_MOVING_RELEASE; reads += 1) {
      const [parts] = await Promise.allSettled([loadParts(named, options.check, options.where)]);
      const after = await read();
      if (after.fingerprint === named.fingerprint) {
        if (parts.status === 'fulfilled') return { named, ...parts.value };
        throw remember(named, parts.reason);
      }
      named = after;
    }
    const message = `Expected the release to hold still while it was read, but it changed ${READS_OF_A_MOVING_RELEASE} times (${options.where})`;
    throw new GateError(FailureType.PolicyUnavailable, message);
  }

  async function take(
    check: Check,
    named: NamedRelease,
    policy: PolicyBundle,
    loaded: LoadedConfig,
    isKept = false,
  ): Promise<void> {
    const { config, configDocument, configRev } = loaded;
    const ref: ReleaseRef = { policySha: policy.sha, configRev, manifestVersion: named.manifest.version };
    if (current && isSameRelease(current.ref, ref)) {
      if (check.isGivenUp) return;
      // It may be a new manifest that names the same content.
      await accept(named);
      fingerprint = named.fingerprint;
      return;
    }
    const faults = await options.check(policy, loaded);
    if (faults.length > 0) throw faultsToError(faults);
    const release: Release = Object.freeze({ ref, policy, config, configDocument, loadedAtMs: options.nowMs() });
    await options.smoke(release);
    if (check.isGivenUp) return;
    await accept(named);
    if (check.isGivenUp) return;
    current = release;
    recent = [release, ...recent.filter((held) => !isSameRelease(held.ref, ref))].slice(0, RELEASES_KEPT);
    // What comes from the disk is read again when its source is back.
    fingerprint = isKept ? undefined : named.fingerprint;
    fromCache = isKept;
    options.onLoaded?.(release, isKept);
    void named.keep?.();
  }

  /** Durable before the swap: a worker that dies here takes no earlier manifest when it starts again. */
  async function accept(named: NamedRelease): Promise<void> {
    await named.accept?.();
    source = { signature: named.signature, publishedAt: named.manifest.publishedAt };
  }

  function remember(named: NamedRelease, cause: unknown): GateError {
    const error = toGateError(cause, options.where);
    // What could not be read was not refused: the next caller may find it.
    if (error.type !== FailureType.PolicyUnavailable)
      lastRefusal = { fingerprint: named.fingerprint, error, atMs: options.nowMs() };
    return error;
  }

  function refuse(error: GateError): void {
    const isOutOfReach = (one: GateError | undefined): boolean => one?.type === FailureType.PolicyUnavailable;
    const isNews = refused?.message !== error.message && !(isOutOfReach(refused) && isOutOfReach(error));
    refused = error;
    if (isNews) options.onRefused?.(error, current, lastManifest);
  }

  function inForce(): Release {
    if (current) return current;
    const why = refused ? `: ${refused.message}` : '';
    const message = `No release is loaded from ${options.where}${why}`;
    throw new GateError(FailureType.PolicyUnavailable, message, undefined, { cause: refused });
  }

  /**
   * A caller that arrives during a check joins the next one: the current check may have read the manifest too early.
   */
  function check(): Promise<GateError | undefined> {
    if (!underWay) return (underWay = look().finally(() => (underWay = undefined)));
    following ??= underWay
      .catch(() => undefined)
      .then(() => {
        following = undefined;
        return check();
      });
    return following;
  }

  async function confirm(withinMs: number): Promise<Release> {
    const found = await inTime(withinMs, check(), () =>
      unread(`The release in force could not be confirmed at ${options.where} within ${withinMs} ms`),
    );
    // An unreadable release may be valid; a refused one is not.
    if (found?.type === FailureType.PolicyUnavailable) {
      throw new GateError(found.type, `The release in force could not be confirmed: ${found.message}`, found.faults, {
        cause: found,
      });
    }
    return inForce();
  }

  return {
    current: inForce,
    find: ({ policySha, configRev }) =>
      recent.find(({ ref }) => ref.policySha === policySha && ref.configRev === configRev),
    refresh: async () => {
      isRefreshAsked = true;
      await check();
      return inForce();
    },
    confirm,
    status: (): ReleaseStatus => ({
      ...(current ? { ref: current.ref, loadedAtMs: current.loadedAtMs } : {}),
      ...(lastCheckAtMs === undefined ? {} : { lastCheckAtMs }),
      ...(lastSuccessfulCheckAtMs === undefined ? {} : { lastSuccessfulCheckAtMs }),
      ...(refused ? { lastError: refused.message } : {}),
      ...(fromCache ? { fromCache } : {}),
      ...(current && source.publishedAt !== undefined ? { publishedAt: source.publishedAt } : {}),
      ...(current && source.signature ? { signedBy: source.signature } : {}),
      ...(current !== undefined && current.policy.plan === undefined ? { wasmAlone: true } : {}),
    }),
  };
}

const unread = (message: string): GateError => new GateError(FailureType.PolicyUnavailable, message);
