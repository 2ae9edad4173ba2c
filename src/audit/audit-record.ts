import type { JsonObject, JsonValue } from '../kernel/json';
import type { Fault } from '../kernel/failures';
import type { PartStore } from './part-store';

/** What a record tells of: a decision, an operator's call, a change of a pause, or what happened to a rule policy. */
export const RecordKind = {
  decision: 'decision',
  override: 'override',
  resume: 'resume',
  abort: 'abort',
  pause: 'pause',
  resolved: 'resolved',
  /** looks of a paused or waiting stage, counted: how many, from when to when, what was found */
  recheck: 'recheck',
  /** what became of a stage's action: attempts, statuses, duration, compensation */
  acted: 'acted',
  /** how all of it ended: done, denied, aborted, failed, terminated or timed-out */
  ended: 'ended',
  /** a rule policy was created, updated, deleted, or taken back to an earlier revision */
  created: 'created',
  updated: 'updated',
  deleted: 'deleted',
  rollback: 'rollback',
  /** a call that was refused */
  refused: 'refused',
  /** an evaluation of rule policies that was to be recorded */
  evaluated: 'evaluated',
  /** an execution that begins; `acted` and `ended` follow it */
  started: 'started',
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** A fact as an audit record keeps it. Times are RFC 3339 in UTC, with milliseconds. */
export interface UsedFact {
  id: string;
  value: JsonValue;
  /** when it was true at the source */
  observedAt: string;
  /** when the answer came */
  collectedAt: string;
  /** provider type and URL without secrets */
  source: string;
  /** whether the evaluation looked at it; absent where that is not known */
  lookedAt?: boolean;
  /** the source had no data, and the configuration says what that means */
  isDefault?: true;
  /** why the source called its answer partial */
  warnings?: string[];
}

/** How an evaluation came to its answer. */
export interface RecordedEvaluation {
  /** the process that evaluated, as `pid@host`; absent in records of before it was noted */
  instance?: string;
  /** the evaluators that were asked, with their versions, the one whose answer counts first */
  evaluators: string[];
  /** how far the first one could go before it is stopped, whatever the machine */
  budget?: { steps: number; elements: number; characters: number };
  /** what the compiled module said of an allow: `agreed`, `disagreed`, `failed`, `none` (it could not be asked) or `not-asked` */
  secondOpinion: string;
  /** why the module could not be asked */
  secondOpinionWhy?: string[];
  /** both answers as JSON, shortened where they are long, where an allow of the first evaluator was not confirmed */
  disagreement?: { first: string; second?: string; secondFailure?: string };
  /** paths that were absent and that the policy declares optional */
  optionalAbsent?: string[];
  /** the reasons of a denial that is an error, because something was missing while it was worked out */
  wouldDeny?: string[];
  /** what was missing while a denial was worked out, where the policy says that it denies all the same */
  notes?: Fault[];
}

/** Whose record it is. A record without a domain is the gate's: that is how the gate writes them. */
export const AuditDomain = { gate: 'gate', rules: 'rules', plans: 'plans', images: 'images' } as const;
export type AuditDomain = (typeof AuditDomain)[keyof typeof AuditDomain];

/** What the records of all domains hold. */
export interface RecordFields {
  /** 2 where there are `details` */
  schemaVersion: 1 | 2;
  /** the key, unique over all domains: a second write under the same id is void, and the first one's record is adopted */
  decisionID: string;
  kind: RecordKind;
  /** RFC 3339 in UTC with milliseconds: the decision time, or the time of the act */
  timestamp: string;
  /** on decisions and overrides only */
  outcome?: 'allow' | 'deny' | 'error';
  /** why it was denied */
  reasons: string[];
  /** why no decision could be made */
  errorDetails: Fault[];
  /** only the facts that the policy reads */
  usedFacts: UsedFact[];
  /** SHA-256 of the policy bundle; absent when no release was loaded */
  policySHA?: string;
  /** SHA-256 of the configuration */
  configRev?: string;
  /** version that the manifest gave the release */
  manifestVersion?: string;
  /** nanoseconds of the evaluation */
  evalDurationNS?: number;
  /** on decisions for which a policy was evaluated */
  evaluation?: RecordedEvaluation;
  /** of the workflow that decided or acted */
  workflowID?: string;
  runID?: string;
  /** who acted, as declared; `gate` for the system's own records */
  actor: string;
  /** the operator's reason, or why a pause began */
  reason?: string;
  /** the decision or pause that an operator's act was meant for */
  refersTo?: string;
  /** RFC 3339; until when an allow holds */
  leaseExpiresAt?: string;
  /** what only this kind of record has; on `recheck`, `acted`, `ended`, `resolved` and the `pause` of an operator */
  details?: JsonObject;
  /**
   * What of the record can no longer be read, a sentence each. Readers set it where a stored record was damaged, or a part
   * of it is gone or altered; no store holds it.
   */
  damaged?: string[];
  /**
   * JSON Pointers of what was masked, e.g. `/input/fleet/serial`: there the value is `null`, and reasons are codes alone.
   * A record with any cannot be replayed.
   */
  masked?: string[];
}

/** A record of the gate: its subject is a deployment, its part a stage, under the names that it has always had. */
export interface GateRecord extends RecordFields {
  domain?: typeof AuditDomain.gate;
  deploymentID: string;
  stage: string;
  /** `{id, stage, stage_index, attributes, stage_attributes}` as the policy saw it, so that the decision can be replayed */
  deployment?: JsonObject;
}

/** A record of any other domain. */
export interface DomainRecord extends RecordFields {
  domain: Exclude<AuditDomain, typeof AuditDomain.gate>;
  /** what the record is about: a rule policy, a plan, an image; 1 to 512 characters */
  subject: string;
  /** the part of the subject that it is about: a rule, a stage, a tag; empty for the whole, up to 512 characters */
  part: string;
}

/**
 * What was decided or done, from which facts, under which policy and config revision; append-only. Field names are public
 * and spelled as auditors read them. `placeOf` gives domain, subject and part of any record. A record of a later version
 * may have fields, kinds and domains that are not listed here: they are kept and shown as they are (`unknownFields`).
 */
export type AuditRecord = GateRecord | DomainRecord;

/** What is asked of the audit store; every filter that is absent matches all. Times inclusive from, exclusive to. */
export interface AuditQuery {
  /** absent: all domains, unless another filter names a subject or a part */
  domain?: AuditDomain;
  /** of this domain; the gate's when `domain` is absent */
  subject?: string;
  part?: string;
  /** the gate's subject and part, under the names of its records */
  deploymentID?: string;
  stage?: string;
  outcome?: 'allow' | 'deny' | 'error';
  kind?: RecordKind;
  /** RFC 3339, of any zone and any fraction of a second */
  since?: string;
  until?: string;
  policySHA?: string;
  manifestVersion?: string;
  /** one of the record's codes, see `reasonCodesOf` */
  reasonCode?: string;
  /** only what comes after this record in the order asked for; where a page ended, the next one continues */
  after?: AuditCursor;
  /** at most this many, 1 to 10,000; @default 100 */
  limit?: number;
  /** newest first when true; @default true */
  newestFirst?: boolean;
}

/** A place in the order of records: by time, and within a millisecond by id. */
export interface AuditCursor {
  timestamp: string;
  decisionID: string;
}

/** A copy of every record goes to each sink, at least once. */
export interface AuditSink {
  readonly name: string;
  write(record: AuditRecord): Promise<void>;
}

/** The store of record. */
export interface AuditStore {
  readonly name: string;
  /** where facts go that are too big to pass through Temporal, until they are recorded; absent where there is no such place */
  readonly parts?: PartStore;
  /**
   * Puts the record on condition that its `decisionID` is free; returns the record that is there
   * afterwards, which is the earlier one when there was one. Durable when it resolves.
   * @throws GateError AuditWriteFailed when the store cannot be reached or refuses
   */
  record(record: AuditRecord): Promise<AuditRecord>;
  /** @throws GateError AuditUnavailable when the store cannot be read */
  get(decisionID: string): Promise<AuditRecord | undefined>;
  /**
   * Ordered by time, and within a millisecond by id.
   * @throws GateError AuditUnavailable when the store cannot be read
   */
  list(query: AuditQuery): Promise<AuditRecord[]>;
  close(): Promise<void>;
}
