import { readFile, stat } from 'node:fs/promises';
import { FailureType, GateError } from '../../kernel/failures';
import { DEFAULT_ARCHIVE_LIMITS } from '../../rego/bundle/archive/read-archive';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import type { PolicyReader } from './release-source';

/** Takes bundles whoever made them. */
const UNVERIFIED: PolicyReader = {
  verifies: false,
  read: async (bytes) => (await import('../../rego/bundle/bundle.js')).readBundle(bytes),
};

/**
 * A policy folder is built on the spot; a bundle is read as it is.
 *
 * @throws GateError PolicyInvalid, also when there is none; PolicyUnavailable when it could not be read
 */
export async function loadPolicy(path: string, policies: PolicyReader = UNVERIFIED): Promise<PolicyBundle> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const isAbsent = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    const type = isAbsent ? FailureType.PolicyInvalid : FailureType.PolicyUnavailable;
    throw refuse(type, path, `could not be read (${error.code ?? error.message})`, error);
  });
  if (found.isDirectory()) {
    if (policies.verifies) {
      throw refuse(
        FailureType.PolicyInvalid,
        path,
        'is a folder, which cannot be signed (release.verificationKey is set)',
      );
    }
    const { buildPolicy } = await import('../../rego/toolchain/build-policy.js');
    return (await buildPolicy(path)).bundle;
  }
  // A pipe or a device could be read for ever.
  if (!found.isFile()) throw refuse(FailureType.PolicyInvalid, path, 'is a device or a pipe');
  const { maxArchiveBytes } = DEFAULT_ARCHIVE_LIMITS;
  if (found.size > maxArchiveBytes) {
    throw refuse(FailureType.PolicyInvalid, path, `has ${found.size} bytes, more than ${maxArchiveBytes}`);
  }
  return policies.read(await readFile(path));
}

function refuse(type: FailureType, path: string, reason: string, cause?: unknown): GateError {
  const message = `Expected the policy at ${path}, but it ${reason}`;
  return new GateError(type, message, undefined, { cause });
}
