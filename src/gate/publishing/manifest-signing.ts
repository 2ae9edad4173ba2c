import { createPublicKey } from 'node:crypto';
import { GateError } from '../../kernel/failures';
import { readBundle } from '../../rego/bundle/bundle';
import type { BundleKey } from '../../rego/bundle/signing/bundle-key';
import type { CurrentManifest, ManifestPlace } from '../../releases/publishing/published-release';
import { manifestBytes, urlOf } from '../../releases/publishing/published-release';
import type { PlannedRelease } from '../../releases/publishing/publish';
import {
  MAX_SIGNATURE_BYTES,
  signatureKey,
  signManifest,
  verifyManifest,
} from '../../releases/signing/manifest-signature';
import { verificationKeyOf } from '../../releases/signing/verification-key';
import type { LoadedSettings } from '../../settings/load-settings';

/**
 * Whether the manifest in place has the signature of `key`: one that was published before there was a key is published again.
 *
 * @throws ObjectStoreError
 */
export async function isSignedBy(
  { store }: ManifestPlace,
  { bytes }: CurrentManifest,
  key: BundleKey,
): Promise<boolean> {
  const name = signatureKey(bytes);
  const found = await store.get(name, { maxBytes: MAX_SIGNATURE_BYTES });
  return (
    found !== undefined && (await faultOf(verifyManifest(bytes, found.bytes, publicPart(key), name))) === undefined
  );
}

/**
 * Why workers of these settings would refuse what is published, as far as its signatures go; an empty list where they ask for
 * none. It is no reason not to publish: whoever publishes need not have the workers' key.
 *
 * @param key what the manifest is signed with; undefined when it is not
 */
export async function signatureWarnings(
  place: ManifestPlace,
  { manifest, content }: Pick<PlannedRelease, 'manifest' | 'content'>,
  key: BundleKey | undefined,
  { settings, env }: { settings: LoadedSettings; env: NodeJS.ProcessEnv },
): Promise<string[]> {
  const readKey = verificationKeyOf(settings, env);
  if (readKey === undefined) return [];
  const bytes = manifestBytes(manifest);
  const check = async (): Promise<string | undefined> => {
    const verificationKey = await readKey();
    if (key === undefined) return 'the manifest is not signed (--signing-key)';
    const signature = await signManifest(bytes, key);
    return (
      (await faultOf(verifyManifest(bytes, signature, verificationKey, signatureKey(bytes)))) ??
      (await faultOf(readBundle(content.policy, { verificationKey })))
    );
  };
  const why = await check().catch((error: Error) => error.message);
  return why === undefined ? [] : [`workers of these settings refuse ${manifest.version} at ${urlOf(place)}: ${why}`];
}

/** What verifies the signatures of a key that signs: a PEM of a public key, or the secret of an HMAC. */
function publicPart(key: BundleKey): BundleKey {
  if (key.algorithm.startsWith('HS')) return key;
  return { ...key, key: createPublicKey(key.key).export({ type: 'spki', format: 'pem' }).toString() };
}

async function faultOf(checked: Promise<unknown>): Promise<string | undefined> {
  try {
    await checked;
    return undefined;
  } catch (error) {
    if (error instanceof GateError) return error.message;
    throw error;
  }
}
