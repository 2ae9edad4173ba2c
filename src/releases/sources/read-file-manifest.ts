import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FailureType, GateError } from '../../kernel/failures';
import { readBytes } from '../../platform/documents/loaders/read-bytes';
import type { Manifest } from '../manifest';
import { requireDigests, type DigestRule } from '../manifest-digests';
import { MAX_SIGNATURE_BYTES, signatureKey } from '../signing/manifest-signature';
import type { ManifestTrust } from '../signing/manifest-trust';
import type { VerifiedSignature } from '../signing/verified-signature';
import { readManifest, type ManifestDocument } from './read-manifest';

export interface FileManifestOptions {
  digests: DigestRule;
  /** takes signed manifests only; absent, whoever may write the file is trusted */
  trust?: ManifestTrust;
  /** how documents are read: another feature's adapters, which whoever puts the parts together hands over */
  loadDocument(path: string): Promise<ManifestDocument>;
  parseDocument(bytes: Uint8Array, where: string): Promise<ManifestDocument>;
}

/**
 * The manifest in a file, with who signed it where a signature is asked for. Nothing of a file is interpreted before its
 * signature is verified: a .pkl manifest is a program.
 *
 * @throws GateError ManifestInvalid with every fault; PolicyUnavailable when it could not be read
 */
export async function readFileManifest(
  path: string,
  { digests, trust, loadDocument, parseDocument }: FileManifestOptions,
): Promise<{ manifest: Manifest; signature?: VerifiedSignature }> {
  let signature: VerifiedSignature | undefined;
  const verified = async (checked: ManifestTrust): Promise<ManifestDocument> => {
    const bytes = await readBytes(path);
    signature = await checked.verify(bytes, await readSignature(join(dirname(path), signatureKey(bytes))), path);
    return parseDocument(bytes, path);
  };
  const manifest = await readManifest(path, () => (trust ? verified(trust) : loadDocument(path)));
  requireDigests(manifest, digests, path);
  await trust?.checkOrder(manifest, path);
  return { manifest, ...(signature && { signature }) };
}

async function readSignature(path: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path);
    if (size <= MAX_SIGNATURE_BYTES) return await readFile(path);
    throw refuse(FailureType.ManifestInvalid, path, `expected at most ${MAX_SIGNATURE_BYTES} bytes, found ${size}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof GateError) throw error;
    throw refuse(FailureType.PolicyUnavailable, path, `could not be read (${code})`, error);
  }
}

function refuse(type: FailureType, path: string, what: string, cause?: unknown): GateError {
  const message = `${path}: ${what}`;
  return new GateError(type, message, [{ type, message, where: path }], { cause });
}
