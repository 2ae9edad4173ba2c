import { compactVerify } from 'jose';
import { FailureType, faultsToError, GateError, type Fault } from '../../../kernel/failures';
import { isJsonObject } from '../../../kernel/json';
import { parseJsonText } from '../../../platform/documents/json-text';
import { SIGNATURES_FILE, type BundleKey, type SignedFile } from './bundle-key';
import { hashFile, HASHES } from './hash-file';
import { verifyingKeyOf } from './keys';

/**
 * That a bundle is exactly what the holder of the key signed: one signature, by this key and algorithm, for this scope, over
 * every file with its content, and over no other. What the token says of its own algorithm and key counts for nothing. As
 * `opa build --verification-key` checks it.
 *
 * @param files the bundle's files by their path without a leading `/`
 * @throws GateError PolicyInvalid with every fault; ConfigInvalid for a key that cannot verify
 */
export async function verifyBundle(files: ReadonlyMap<string, Uint8Array>, key: BundleKey): Promise<void> {
  const signed = await signedFiles(files, key);
  const faults: Fault[] = [];
  for (const [name, content] of files) {
    if (name === SIGNATURES_FILE) continue;
    const entry = signed.get(name);
    if (!entry) faults.push(fault(name, 'is not among the files that were signed'));
    else if (!isSame(entry, content)) faults.push(fault(name, 'is not what was signed: its digest differs'));
  }
  for (const name of signed.keys()) if (!files.has(name)) faults.push(fault(name, 'was signed, but is missing'));
  if (faults.length > 0) throw faultsToError(faults);
}

async function signedFiles(
  files: ReadonlyMap<string, Uint8Array>,
  key: BundleKey,
): Promise<ReadonlyMap<string, SignedFile>> {
  const content = files.get(SIGNATURES_FILE);
  if (!content) throw refuse('missing; expected a signed bundle, because a verification key is set');
  const document = parseJson(content);
  const tokens = isJsonObject(document) ? document.signatures : undefined;
  if (!Array.isArray(tokens) || tokens.length !== 1 || typeof tokens[0] !== 'string') {
    throw refuse('expected exactly one signature');
  }
  const payload = await verifiedPayload(tokens[0], key);
  if (!isJsonObject(payload) || !Array.isArray(payload.files)) throw refuse('expected the signature to list files');
  if ((payload.scope ?? '') !== (key.scope ?? '')) {
    throw refuse(`expected the scope ${JSON.stringify(key.scope ?? '')}, found ${JSON.stringify(payload.scope ?? '')}`);
  }
  const entries = payload.files.map((entry): [string, SignedFile] => {
    if (!isSignedFile(entry)) throw refuse('expected each signed file to have a name, a hash and a known algorithm');
    return [entry.name, entry];
  });
  const signed = new Map(entries);
  if (signed.size !== entries.length) throw refuse('expected each file to be signed once');
  return signed;
}

async function verifiedPayload(token: string, key: BundleKey): Promise<unknown> {
  const verifyingKey = verifyingKeyOf(key);
  try {
    const { payload } = await compactVerify(token, verifyingKey, { algorithms: [key.algorithm] });
    return parseJson(payload);
  } catch (error) {
    if (error instanceof GateError) throw error;
    throw refuse(
      `the signature is not of the key ${key.keyId} with ${key.algorithm}: ${(error as Error).message}`,
      error,
    );
  }
}

function isSame({ name, hash, algorithm }: SignedFile, content: Uint8Array): boolean {
  try {
    return hashFile(name, content, algorithm) === hash.toLowerCase();
  } catch {
    return false;
  }
}

function isSignedFile(value: unknown): value is SignedFile {
  return (
    isJsonObject(value) &&
    typeof value.name === 'string' &&
    typeof value.hash === 'string' &&
    typeof value.algorithm === 'string' &&
    Object.hasOwn(HASHES, value.algorithm)
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw refuse(`expected JSON: ${(error as Error).message}`, error);
  }
}

function refuse(what: string, cause?: unknown): GateError {
  const { message } = fault(SIGNATURES_FILE, what);
  return new GateError(FailureType.PolicyInvalid, message, [fault(SIGNATURES_FILE, what)], { cause });
}

function fault(where: string, what: string): Fault {
  return { type: FailureType.PolicyInvalid, message: `${where}: ${what}`, where };
}
