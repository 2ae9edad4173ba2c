import type { Place } from '../registries/registry';
import { readManifest } from '../registries/read-manifest';
import { RegistryError } from '../registries/registry-error';
import type { Descriptor } from '../registries/descriptor';
import type { PublicKey } from '../signatures/public-key';
import type { SignatureCheck } from '../signatures/signature-check';
import {
  bundleFault,
  SIGNATURE_ANNOTATION,
  SIGSTORE_BUNDLE,
  SIMPLE_SIGNING,
  simpleSigningFault,
} from '../signatures/verify-signature';

const MOST_SIGNATURE_BYTES = 1024 * 1024;
/** Whoever may push can add as many as they like. */
const MOST_SIGNATURES = 100;

/**
 * Whether one of an image's signatures is the key's: cosign's under its tag, or a Sigstore bundle that refers to the image. What
 * cannot be read is not verified.
 *
 * @throws RegistryError `unavailable` and `denied`: then nothing is known
 */
export async function checkSignatures(place: Place, digest: string, key: PublicKey): Promise<SignatureCheck> {
  const reasons: string[] = [];
  for await (const { name, fault } of signaturesOf(place, digest, key)) {
    if (fault === undefined) return { verified: true, reasons: [] };
    reasons.push(`${name} ${fault}`);
    if (reasons.length >= MOST_SIGNATURES) {
      return { verified: false, reasons: [...reasons, `more than ${MOST_SIGNATURES} signatures are not looked at`] };
    }
  }
  return { verified: false, reasons: reasons.length > 0 ? reasons : [`${digest} has no signature`] };
}

type Found = { name: string; fault: string | undefined };

async function* signaturesOf(place: Place, digest: string, key: PublicKey): AsyncIterable<Found> {
  const { registry, repository } = place;
  const tag = `${digest.replace(':', '-')}.sig`;
  yield* layersOf(place, tag, SIMPLE_SIGNING, (layer, bytes) =>
    simpleSigningFault(key, bytes, layer.annotations?.[SIGNATURE_ANNOTATION], digest),
  );
  const { referrers } = await registry.listReferrers(repository, digest);
  for (const referrer of referrers) {
    if (referrer.artifactType !== undefined && referrer.artifactType !== SIGSTORE_BUNDLE) continue;
    yield* layersOf(place, referrer.digest, SIGSTORE_BUNDLE, (_layer, bytes) => bundleFault(key, bytes, digest));
  }
}

/** What `fault` says of each layer of one type; a manifest or layer that cannot be read has a fault of its own. */
async function* layersOf(
  { registry, repository }: Place,
  reference: string,
  mediaType: string,
  fault: (layer: Descriptor, bytes: Uint8Array) => string | undefined,
): AsyncIterable<Found> {
  let layers: readonly Descriptor[];
  try {
    const stored = await registry.getManifest(repository, reference);
    if (stored === undefined) return;
    layers = readManifest(stored).blobs.filter((blob) => blob.mediaType === mediaType);
  } catch (error) {
    yield { name: reference, fault: `cannot be read: ${sayUnreadable(error)}` };
    return;
  }
  for (const layer of layers) {
    let said: string | undefined;
    try {
      said =
        layer.size > MOST_SIGNATURE_BYTES
          ? `has ${layer.size} bytes, expected at most ${MOST_SIGNATURE_BYTES}`
          : fault(layer, await wholeOf(registry.readBlob(repository, layer)));
    } catch (error) {
      said = `cannot be read: ${sayUnreadable(error)}`;
    }
    yield { name: layer.digest, fault: said };
  }
}

function sayUnreadable(error: unknown): string {
  if (error instanceof RegistryError && error.failure !== 'unavailable' && error.failure !== 'denied')
    return error.message;
  throw error;
}

async function wholeOf(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}
