import { faultsToError, FailureType, GateError, type Fault } from '../kernel/failures';
import type { Manifest } from './manifest';

/** Whether a manifest must say what it names is, or may leave that to whatever lies there. */
export type DigestRule = 'required' | 'optional';

/**
 * Where digests are required, that both are there.
 *
 * @param where the manifest's URL or path
 * @throws GateError ManifestInvalid with every fault
 */
export function requireDigests(manifest: Manifest, rule: DigestRule, where: string): void {
  if (rule === 'optional') return;
  const faults = (['policySHA256', 'configSHA256'] as const)
    .filter((name) => manifest[name] === undefined)
    .map((name): Fault => {
      const message = `${where}: expected ${name}, found none; digests are required here (release.digests)`;
      return { type: FailureType.ManifestInvalid, message, where };
    });
  if (faults.length > 0) throw faultsToError(faults);
}

/**
 * That the bundle is the one that was published.
 *
 * @param expected absent where the manifest holds no digest
 * @throws GateError PolicyInvalid naming both digests
 */
export function checkPolicyDigest(found: string, expected: string | undefined, where: string): void {
  check(FailureType.PolicyInvalid, found, expected, where);
}

/** As checkPolicyDigest; the configuration itself may be well, so it is the manifest that is wrong: ManifestInvalid. */
export function checkConfigDigest(found: string, expected: string | undefined, where: string): void {
  check(FailureType.ManifestInvalid, found, expected, where);
}

function check(type: FailureType, found: string, expected: string | undefined, where: string): void {
  if (expected === undefined || expected === found) return;
  const message = `${where}: expected SHA-256 ${expected} as the manifest says, found ${found}`;
  throw new GateError(type, message, [{ type, message, where }]);
}
