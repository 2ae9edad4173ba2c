import type { AuditLog } from '../audit/audit-log';
import type { GateRecord } from '../audit/audit-record';
import { isGateRecord } from '../audit/place';
import type { Release } from '../releases/release';
import type { ReleaseRef } from '../releases/release-ref';
import type { ActionContext } from './actions/action';
import { toPolicyInput } from './decisions/decide';
import type { Decision } from './decisions/decision';
import type { Decisions } from './decisions/service/open-decisions';
import { SnapshotError } from './facts/collect-snapshot';
import type { FactTarget } from './facts/fact';
import type { Facts } from './facts/service/open-facts';
import type { Snapshot } from './facts/snapshot';
import type { Masks } from './masking/create-masks';
import { maskRecord } from './masking/mask-record';

export interface MaskedGateOptions {
  facts: Facts;
  decisions: Pick<Decisions, 'decide'>;
  audit: AuditLog;
  masks: Masks;
  /** pointers of the settings */
  settingsMask: readonly string[];
  releases: { inForce(): Release | undefined; find(ref: ReleaseRef): Release | undefined };
  onRecorded(record: GateRecord): void;
}

/** Collecting, deciding and recording, where each result carries what must be masked in it. */
export interface MaskedGate {
  /** @throws SnapshotError with every fault */
  collect(release: Release, target: FactTarget, bypassCache?: boolean): Promise<Snapshot>;
  evaluate(release: Release, snapshot: Snapshot): Promise<Decision>;
  /** masks every record before it is written */
  audit: AuditLog;
  /**
   * Whether something of a deployment's attributes may be masked, so that no message may show them: by the release in force,
   * or by the one under which its action was allowed.
   */
  hidesAttributes(context: Pick<ActionContext, 'attributes' | 'stage_attributes'>, allowedUnder?: ReleaseRef): boolean;
}

export function createMaskedGate(options: MaskedGateOptions): MaskedGate {
  const { facts, decisions, audit, masks, settingsMask, releases } = options;
  return {
    collect: async (release, target, bypassCache) => {
      try {
        return withMask(await facts.collect(release, target, bypassCache), masks.unknown(release));
      } catch (error) {
        if (!(error instanceof SnapshotError)) throw error;
        const { failure } = error;
        const input = toPolicyInput({ ...failure, release: release.ref, maxAgeMs: {} });
        const absent = failure.faults.flatMap(({ factId }) =>
          factId === undefined || Object.hasOwn(input, factId) ? [] : [factId],
        );
        const mask = await masks.of(release, { taken: failure, input, absent });
        throw mask.length === 0 ? error : new SnapshotError({ ...failure, mask });
      }
    },
    evaluate: async (release, snapshot) => {
      const decision = await decisions.decide(release, snapshot);
      const { outcome, denyReasons } = decision;
      const result = outcome === 'error' ? undefined : { allow: outcome === 'allow', deny_reasons: denyReasons };
      return withMask(decision, await masks.of(release, { taken: snapshot, input: toPolicyInput(snapshot), result }));
    },
    audit: {
      record: async (record) => {
        // Without a digest it is unknown under which release it was made, and what that release masks.
        const rules = record.policySHA === undefined ? masks.unknown(releases.inForce()) : settingsMask;
        const stored = await audit.record(maskRecord(record, rules));
        if (isGateRecord(stored)) options.onRecorded(stored);
        return stored;
      },
      close: (withinMs) => audit.close(withinMs),
    },
    hidesAttributes: ({ attributes, stage_attributes }, allowedUnder) => {
      const mayHide = (release: Release | undefined) => masks.mayHide(release, { attributes, stage_attributes });
      return mayHide(releases.inForce()) || (allowedUnder !== undefined && mayHide(releases.find(allowedUnder)));
    },
  };
}

function withMask<T extends Snapshot | Decision>(taken: T, mask: NonNullable<T['mask']>): T {
  return mask.length === 0 ? taken : { ...taken, mask };
}
