import type { ReleaseRef } from '../../releases/release-ref';
import type { GateRecord } from '../../audit/audit-record';
import type { PartRef } from '../../audit/part-store';
import type { Fact, FactTarget } from './fact';
import type { Fault } from '../../kernel/failures';
import type { MaskRule } from '../../kernel/mask-rule';

/**
 * The facts of one (deployment, stage) gathered for one decision; immutable, stored with it. The decision's identity and
 * time are part of it, so every step that runs again after a crash uses the same (gate rules, section 4).
 */
export interface Snapshot {
  /** of the decision that the facts are for */
  decisionId: string;
  /** epoch milliseconds, UTC: the moment the snapshot was complete; ages are judged against it */
  decisionTimeMs: number;
  /** what the facts were collected for */
  target: FactTarget;
  /** under which they are to be evaluated */
  release: ReleaseRef;
  /** ordered by id */
  facts: Fact[];
  /** where the facts are that are too big to pass through Temporal; `facts` is empty then */
  part?: PartRef;
  /** max age in force for each fact, in milliseconds; an always fresh fact has none */
  maxAgeMs: Record<string, number>;
  /** what must be masked when no evaluation says what: all, where the release masks; absent when nothing */
  mask?: MaskRule[];
}

/** Why no snapshot could be made: carried in the details of the failure, so that the error can be recorded under its id. */
export interface SnapshotFailure {
  /** under which the failed decision is recorded */
  decisionId: string;
  /** epoch milliseconds, UTC */
  decisionTimeMs: number;
  /** whose facts were collected */
  target: FactTarget;
  /** absent when no release is loaded */
  release?: ReleaseRef;
  /** the facts that could be had; stale and invalid ones among them as found */
  facts: Fact[];
  /** where the facts are that are too big to pass through Temporal; `facts` is empty then */
  part?: PartRef;
  /** with `part`: the record that the failure will have, masked, with its facts shortened */
  record?: GateRecord;
  /** every fault, at least one */
  faults: Fault[];
  /** what must be masked wherever this failure is shown; absent when nothing */
  mask?: MaskRule[];
}
