import type { PolicyBundle } from '../rego/bundle/policy-bundle';
import type { JsonObject } from '../kernel/json';
import type { ReleaseRef } from './release-ref';
import type { VerifiedSignature } from './signing/verified-signature';
import type { ReleaseConfig } from './config/release-config';

/** Policy bundle and configuration together, loaded and swapped as one; immutable. */
export interface Release {
  ref: ReleaseRef;
  policy: PolicyBundle;
  config: ReleaseConfig;
  /** what the policy sees as `data.config` */
  configDocument: JsonObject;
  loadedAtMs: number;
}

/** Where the release in force comes from. */
export interface ReleaseHolder {
  /** the release in force; throws GateError PolicyUnavailable when none could be loaded yet, saying why */
  current(): Release;
  /** the release with exactly these digests, of the last four; undefined when this worker does not hold it */
  find(ref: Pick<ReleaseRef, 'policySha' | 'configRev'>): Release | undefined;
  /** reads the manifest now and loads what it names when it differs; returns the release then in force */
  refresh(): Promise<Release>;
  /**
   * As refresh, for a caller that must know that the release is in force still: a newer one that was refused for what it is leaves
   * it there.
   *
   * @param withinMs at most so long; a source that hangs is one that cannot be read
   * @throws GateError PolicyUnavailable when the manifest, or what a new one names, could not be read
   */
  confirm(withinMs: number): Promise<Release>;
  status(): ReleaseStatus;
}

export interface ReleaseStatus {
  ref?: ReleaseRef;
  loadedAtMs?: number;
  lastCheckAtMs?: number;
  lastSuccessfulCheckAtMs?: number;
  /** why the newest release was refused, or could not be read; absent when all is well */
  lastError?: string;
  /** the release in force came from the copy on disk, and its source has not confirmed it yet */
  fromCache?: true;
  /** when the manifest in force was published, as it says */
  publishedAt?: string;
  /** whose signature the manifest in force has; absent where none is asked for */
  signedBy?: VerifiedSignature;
  /** the bundle in force has no plan: its compiled module decides alone, and nothing notices what is missing meanwhile */
  wasmAlone?: true;
}
