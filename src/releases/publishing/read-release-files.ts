import { readFile, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { FailureType, GateError, namedFaults } from '../../kernel/failures';
import { readBytes } from '../../platform/documents/loaders/read-bytes';
import { readSecret } from '../../platform/files/read-secret';
import { readArchive } from '../../rego/bundle/archive/read-archive';
import { SIGNATURES_FILE, type BundleKey } from '../../rego/bundle/signing/bundle-key';
import { signingKeyOf } from '../../rego/bundle/signing/keys';
import { signBundle } from '../../rego/bundle/signing/sign-bundle';
import { addPlan } from '../../rego/toolchain/add-plan';
import { buildPolicy } from '../../rego/toolchain/build-policy';
import { testPolicy } from '../../rego/toolchain/test-policy';
import { testSummary } from '../../rego/toolchain/test-summary';
import type { Surroundings } from '../sources/open-named-release';
import type { ReleaseFile } from './publish';
import { MAX_POLICY_BYTES } from './published-release';
import { ReleaseRefusedError } from './release-refused';

/** How a bundle is signed, as `opa sign` does it, or a manifest. */
export interface SigningOptions {
  /** PEM of a private key, or the secret of an HMAC */
  keyFile: string;
  /** `RS256`, `PS256`, `ES256`, `HS256`, or with 384 or 512 */
  algorithm: string;
  /** name of the key for those who verify */
  keyId: string;
  /** what the signature is for, where verifiers ask for a scope */
  scope?: string;
}

/** A policy to be published. */
export interface PolicyToPublish {
  /** a policy folder, which is built and tested, or a bundle.tar.gz */
  path: string;
  /** the lowest coverage of a folder's tests, in per cent, 0 to 100 @default 80 */
  threshold?: number;
  /** absent: a folder's bundle is not signed, and a ready bundle stays as it is */
  sign?: SigningOptions;
}

const DEFAULT_THRESHOLD = 80;

/**
 * A configuration as it is on disk. What it holds is checked with the policy, so that all faults come at once.
 *
 * @throws GateError ConfigInvalid for a file that cannot be read
 */
export async function readConfigFile(path: string, { cwd }: Pick<Surroundings, 'cwd'>): Promise<ReleaseFile> {
  const file = resolve(cwd, path);
  const bytes = await readBytes(file);
  const extension = extname(file).slice(1).toLowerCase();
  return { bytes, extension: extension === 'yml' ? 'yaml' : extension };
}

/** The bundle of a policy. */
export interface PolicyFile extends ReleaseFile {
  /** of its sources, where there are any */
  folder?: string;
  /** why it must not be released, though it can be built */
  refused?: ReleaseRefusedError;
}

/**
 * The bundle of a policy: a folder is built and its tests are run, a ready bundle gets its plan; then it is signed where that
 * is asked for.
 *
 * @param signing of the manifest: it signs a bundle too that nobody has signed
 * @returns with the folder of the policy's sources, where there is one, and what keeps it from being released: the tests that
 *   failed, or the lines that none covers
 * @throws GateError
 */
export async function readPolicyFile(
  { path, threshold = DEFAULT_THRESHOLD, sign }: PolicyToPublish,
  surroundings: Surroundings,
  signing?: SigningOptions,
): Promise<PolicyFile> {
  const place = resolve(surroundings.cwd, path);
  const found = await stat(place).catch(() => undefined);
  if (!found) throw invalid(`Expected a policy folder or a bundle at ${place}, found nothing`);
  const isFolder = found.isDirectory();
  if (!isFolder && (!found.isFile() || found.size > MAX_POLICY_BYTES))
    throw invalid(`Expected ${place} to be a bundle of at most ${MAX_POLICY_BYTES} bytes`);
  const { bytes: unsigned, refused } = isFolder
    ? await testedBundle(place, threshold)
    : { bytes: await bundleWithPlan(place, path) };
  const chosen = sign ?? ((await isSigned(unsigned)) ? undefined : signing);
  const bytes =
    chosen === undefined ? unsigned : await signBundle(unsigned, await readSigningKey(chosen, surroundings));
  return { bytes, extension: 'tar.gz', ...(isFolder ? { folder: place } : {}), ...(refused && { refused }) };
}

async function bundleWithPlan(place: string, name: string): Promise<Uint8Array> {
  try {
    return await addPlan(new Uint8Array(await readFile(place)));
  } catch (error) {
    throw namedFaults(name, error, place);
  }
}

async function testedBundle(
  folder: string,
  threshold: number,
): Promise<{ bytes: Uint8Array; refused?: ReleaseRefusedError }> {
  const { bytes } = await buildPolicy(folder);
  const result = await testPolicy(folder, { threshold });
  if (result.ok) return { bytes };
  const { summary, details } = testSummary(result, threshold);
  const message = `the policy's tests do not pass: ${[summary, ...details].join('\n  ')}`;
  return { bytes, refused: new ReleaseRefusedError(message) };
}

async function isSigned(bytes: Uint8Array): Promise<boolean> {
  return (await readArchive(bytes)).has(SIGNATURES_FILE);
}

/** @throws GateError ConfigInvalid when the file cannot be read, or what it holds cannot sign with that algorithm */
export async function readSigningKey(
  { keyFile, keyId, algorithm, scope }: SigningOptions,
  { env, cwd }: Surroundings,
): Promise<BundleKey> {
  const secret = await readSecret({ file: keyFile }, { env, configFolder: cwd });
  const key: BundleKey = { key: secret, keyId, algorithm, ...(scope === undefined ? {} : { scope }) };
  try {
    signingKeyOf(key);
  } catch (error) {
    throw namedFaults(keyFile, error);
  }
  return key;
}

function invalid(message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message);
}
