import { FailureType, GateError, type Fault } from '../kernel/failures';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';
import type { Settings } from '../settings/settings';

/** Refuses whatever masks values while those values would be in Temporal's history in the clear. */
export interface EncryptionGuard {
  /** whether a release with masks of its own is accepted */
  takesMasks: boolean;
  /** what is wrong with a policy */
  faultsOf(policy: Pick<PolicyBundle, 'maskEntrypoint'>): readonly Fault[];
}

/** @throws GateError ConfigInvalid when the settings themselves mask values */
export function createEncryptionGuard(settings: Settings, overTemporal: boolean): EncryptionGuard {
  const takesMasks = !overTemporal || settings.temporal.encryptionKeys.length > 0;
  if (!takesMasks && settings.audit.mask.length > 0) {
    const fault = unencrypted('audit.mask', 'the settings mask values (audit.mask)');
    throw new GateError(fault.type, fault.message, [fault]);
  }
  return {
    takesMasks,
    faultsOf: ({ maskEntrypoint }) =>
      takesMasks || maskEntrypoint === undefined
        ? []
        : [unencrypted('.manifest', 'the policy masks values (data.system.log.mask)')],
  };
}

function unencrypted(where: string, because: string): Fault {
  const message = `Expected temporal.encryptionKeys, because ${because}, which would be in Temporal's history in the clear`;
  return { type: FailureType.ConfigInvalid, message, where };
}
