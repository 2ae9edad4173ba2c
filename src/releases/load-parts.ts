import { FailureType, faultsToError, GateError, type Fault } from '../kernel/failures';
import { messageOf } from '../kernel/message-of';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';
import type { LoadedConfig, NamedRelease } from './sources/release-source';
import { UnsoundConfigError } from './unsound-config';

/** What keeps a policy, where there is one, and a configuration from being a release; an empty list when nothing does. */
export type ReleaseCheck = (policy: PolicyBundle | undefined, loaded: LoadedConfig) => Promise<readonly Fault[]>;

/**
 * The policy and the configuration that a manifest names. Where one of them is refused, what is sound of the two is checked
 * all the same, so that everything can be mended at once; two that are sound are the caller's to check.
 *
 * @param where the manifest's URL, for people
 * @throws GateError with every fault; of what is out of reach it says nothing more
 */
export async function loadParts(
  named: NamedRelease,
  check: ReleaseCheck,
  where: string,
): Promise<{ policy: PolicyBundle; loaded: LoadedConfig }> {
  const [policy, loaded] = await Promise.allSettled([named.loadPolicy(), named.loadConfig()]);
  if (policy.status === 'fulfilled' && loaded.status === 'fulfilled') {
    return { policy: policy.value, loaded: loaded.value };
  }
  const errors = [policy, loaded].flatMap((part) =>
    part.status === 'rejected' ? [toGateError(part.reason, where)] : [],
  );
  const sound = loaded.status === 'fulfilled' ? loaded.value : soundOf(loaded.reason);
  const isRead = errors.every(({ type }) => type !== FailureType.PolicyUnavailable);
  const more =
    isRead && sound !== undefined ? await check(policy.status === 'fulfilled' ? policy.value : undefined, sound) : [];
  const [first, ...others] = errors;
  if (first !== undefined && others.length === 0 && more.length === 0) throw first;
  throw faultsToError([...errors.flatMap(({ faults }) => faults), ...more]);
}

/** What went wrong while a release was loaded; what says nothing of itself was out of reach. */
export function toGateError(error: unknown, where: string): GateError {
  if (error instanceof GateError) return error;
  const message = `The release could not be loaded from ${where}: ${messageOf(error)}`;
  return new GateError(FailureType.PolicyUnavailable, message, undefined, { cause: error });
}

const soundOf = (error: unknown): LoadedConfig | undefined =>
  error instanceof UnsoundConfigError ? error.sound : undefined;
