import { FailureType, GateError } from '../../kernel/failures';
import { parseTime } from '../../kernel/time';
import type { BundleKey } from '../../rego/bundle/signing/bundle-key';
import type { Manifest } from '../manifest';
import type { AcceptedTimes } from './accepted-times';
import { signatureKey, verifyManifest } from './manifest-signature';
import { orderFault } from './publication-order';
import type { VerifiedSignature } from './verified-signature';

/** Decides whose manifests are taken: those that are signed, and no older than the last accepted one. */
export interface ManifestTrust {
  /**
   * @param signature content of the signature's file; undefined when there is none
   * @param where the manifest's URL or path
   * @throws GateError ManifestInvalid
   */
  verify(manifest: Uint8Array, signature: Uint8Array | undefined, where: string): Promise<VerifiedSignature>;
  /**
   * That no later manifest was accepted.
   *
   * @throws GateError ManifestInvalid; PolicyUnavailable when it cannot be told
   */
  checkOrder(manifest: Manifest, where: string): Promise<void>;
  /** remembers that this manifest is in force; throws nothing */
  accept(manifest: Manifest): Promise<void>;
}

export interface ManifestTrustOptions {
  /** read for each manifest, so that a rotated key is taken up. @throws GateError ConfigInvalid */
  key(): Promise<BundleKey>;
  accepted: AcceptedTimes;
  nowMs(): number;
  /** the last accepted time could not be written: it holds as long as this process lives */
  onNotKept?(error: unknown): void;
}

/** Manifests of one place, signed by one key. */
export function createManifestTrust({ key, accepted, nowMs, onNotKept }: ManifestTrustOptions): ManifestTrust {
  let acceptedMs: number | undefined;
  return {
    verify: async (manifest, signature, where) => {
      const signedBy = await key();
      const path = `${where.slice(0, where.lastIndexOf('/') + 1)}${signatureKey(manifest)}`;
      if (signature === undefined) {
        const what = `expected the manifest's signature at ${path}, found none; a signed manifest is required (release.verificationKey)`;
        throw refuse(where, what);
      }
      await verifyManifest(manifest, signature, signedBy, path);
      return { keyId: signedBy.keyId, algorithm: signedBy.algorithm };
    },
    checkOrder: async ({ publishedAt }, where) => {
      const keptMs = await accepted.last();
      const lastMs = Math.max(acceptedMs ?? -Infinity, keptMs ?? -Infinity);
      const fault = orderFault(publishedAt, Number.isFinite(lastMs) ? lastMs : undefined, nowMs());
      if (fault !== undefined) throw refuse(where, fault);
    },
    accept: async ({ publishedAt }) => {
      const atMs = parseTime(publishedAt);
      if (atMs === undefined || (acceptedMs !== undefined && acceptedMs >= atMs)) return;
      acceptedMs = atMs;
      await accepted.raise(atMs).catch((error: unknown) => onNotKept?.(error));
    },
  };
}

function refuse(where: string, what: string): GateError {
  const type = FailureType.ManifestInvalid;
  const message = `${where}: ${what}`;
  return new GateError(type, message, [{ type, message, where }]);
}
