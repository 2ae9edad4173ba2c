import type { LeaseClaim } from '../gate/decisions/lease';
import type { ActionContext, ActionResult, ActionSpec } from '../gate/actions/action';
import type { Alert } from '../alerts/alert';
import type { AlertRules } from '../alerts/alert-rules';
import type { AuditRecord } from '../audit/audit-record';
import type { DraftRecord } from '../gate/deployments/looked';
import type { ReleaseConfig, StageBehaviour } from '../releases/config/release-config';
import type { Decision } from '../gate/decisions/decision';
import type { FactTarget } from '../gate/facts/fact';
import type { Snapshot } from '../gate/facts/snapshot';
import type { ReleaseRef } from '../releases/release-ref';
import type { Finding } from '../gate/deployments/finding';
import type { Looked } from '../gate/deployments/looked';
import type { LookDetails, LookIntervals, Looks } from '../gate/deployments/looks';

// Types only: workflows import this file with `import type`.

/** Which facts to collect, and how fresh. */
export interface CollectRequest {
  /** deployment and stage */
  target: FactTarget;
  /** true after a lapsed lease and on an operator's resume: the sources are asked again */
  bypassCache?: boolean;
  /** the release that the action's worker found when a lease lapsed: a worker that holds another reads the manifest first */
  release?: ReleaseRef;
  /** the answer may leave out the attributes, and have its facts put aside where they are big; workflows of earlier releases do not ask for that */
  light?: true;
}

/** A snapshot to decide under the release that it names. */
export interface EvaluateRequest {
  snapshot: Snapshot;
}

/** A snapshot decided on one worker, under one release (`decide`). */
export interface SnapshotAndDecision {
  snapshot: Snapshot;
  decision: Decision;
}

/** A stage to look at again and again, until something else is found. */
export interface RecheckRequest {
  /** whose facts are collected */
  target: FactTarget;
  /** as in `CollectRequest` */
  release?: ReleaseRef;
  /** what was found last */
  found: Finding;
  /** how often to look */
  intervals: LookIntervals;
  /** epoch milliseconds: the first look is not before that */
  notBeforeMs: number;
  /** how one look collects: as often, and with such pauses, as `collectFacts` would */
  collecting: ReleaseConfig['activities']['collectFacts'];
  /** looks that an earlier run of the workflow counted, and found the same */
  before?: Looks;
  /** as in `CollectRequest` */
  light?: true;
}

/** What a recheck found after `count` looks that changed nothing. The last look is not among them. */
export type RecheckResult = Looks & Looked;

/** A recheck of the own workflow run that has not ended. */
export interface ReadLooksRequest {
  /** as the workflow named it */
  activityId: string;
}

/** One attempt at the action of an allowed stage. */
export interface ActionRequest {
  /** what to do */
  action: ActionSpec;
  /** what its templates may read */
  context: ActionContext;
  /** the same for every attempt: the receiver's idempotency key */
  idempotencyKey: string;
  /** names of values that the action is to give */
  outputs?: readonly string[];
  /** absent in observe mode */
  lease?: LeaseClaim;
  /** under which it was allowed, also when the lease is checked no more: its masks hold for what is said of the action */
  release?: ReleaseRef;
}

/** An action that may have taken effect, to be taken back; no lease is needed. */
export type CompensationRequest = Omit<ActionRequest, 'lease'>;

/** The stage behaviour and activity options in force, asked once when a stage begins. */
export interface GateDefaults {
  /** behaviour of stages that say nothing of their own */
  stages: StageBehaviour;
  /** time-outs and retries */
  activities: ReleaseConfig['activities'];
  /** continue as new beyond this many events, earlier than the server suggests; absent in answers of earlier releases */
  historyLimit?: number;
  /** of the Temporal UI, for links in alerts */
  uiUrl?: string;
  /** what people are told of; absent in answers of earlier releases */
  alerts?: AlertRules;
  /** a deployment may leave its last messages to the workflow `deliverAlerts`; absent as `alerts` */
  leavesAlerts?: true;
  /** patches of the workflow code that a run passes from now on; absent in answers of earlier releases */
  patches?: readonly string[];
}

/** What the gate does outside the workflow. Each is safe to run twice. Failures are ApplicationFailures of a FailureType. */
export interface GateActivities {
  /** the schema's defaults while no release is loaded; throws nothing */
  readDefaults(): Promise<GateDefaults>;
  /** fails with SnapshotFailure as its first detail */
  collectFacts(request: CollectRequest): Promise<Snapshot>;
  /** never throws for a policy's own fault: that is a decision of outcome error. Throws ReleaseChanged. */
  evaluatePolicy(request: EvaluateRequest): Promise<Decision>;
  /** collects and evaluates on one worker; fails as collectFacts does */
  decide(request: CollectRequest): Promise<SnapshotAndDecision>;
  /**
   * Each attempt is one look, with no cached fact. One that finds what was found last is counted in the heartbeat details,
   * and fails with `Unchanged` until its turn comes again: so a wait costs no history. Returns when a look finds something
   * else, or a day after the first one.
   */
  recheck(request: RecheckRequest): Promise<RecheckResult>;
  /** the heartbeat details of a recheck of the own workflow; null where it has none */
  readLooks(request: ReadLooksRequest): Promise<LookDetails | null>;
  /** throws AuditWriteFailed; returns the record in the store under the id, with its facts shortened */
  recordDecision(record: AuditRecord): Promise<AuditRecord>;
  /** the same of a decision whose facts were put aside: they are fetched first */
  recordBigDecision(draft: DraftRecord): Promise<AuditRecord>;
  /** throws LeaseLapsed or PolicyUnavailable (before a request was sent; the latter may be mended by a retry) or ActionFailed */
  runAction(request: ActionRequest): Promise<ActionResult>;
  /** takes back an action; throws ActionFailed */
  compensateAction(request: CompensationRequest): Promise<ActionResult>;
  /** resolves when every receiver took it; rejects when one could not be reached in the end */
  sendAlert(alert: Alert): Promise<void>;
}
