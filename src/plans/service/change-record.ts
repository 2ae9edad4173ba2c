import { AuditDomain, RecordKind, type DomainRecord } from '../../audit/audit-record';
import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import { derivedId } from '../../kernel/derived-id';
import { diffJson } from '../../kernel/json-diff';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import { toTimestamp } from '../../kernel/time';
import type { PlanObject } from '../object';

export interface ObjectChange {
  action: 'created' | 'updated' | 'deleted';
  before: PlanObject | undefined;
  /** as it is stored, or was last */
  after: PlanObject;
  actor: string;
  nowMs: number;
}

/** A record names so many of the places that changed, and no values: they may be long, and secret. */
const MOST_PATHS = 20;
const MOST_TEXT = 1_000;

/**
 * The audit record of a client's change of an object: who changed what, and when. A spec has its digest there, a gate its
 * decision. Its id follows from the object and the revision of the write.
 *
 * @returns undefined for a write of nothing but a status, unless it is a gate's
 */
export function changeRecord({ action, before, after, actor, nowMs }: ObjectChange): DomainRecord | undefined {
  const changed = action === 'updated' ? changedPaths(before!, after) : [];
  const isStatus = (path: string): boolean => path === 'status' || path.startsWith('status.');
  if (action === 'updated' && after.kind !== 'Gate' && changed.every(isStatus)) return undefined;
  const { kind, metadata } = after;
  const { namespace, name, uid = '', generation = 1, resourceVersion = '' } = metadata;
  const { resolution } = (kind === 'Gate' ? (after.status ?? {}) : {}) as { resolution?: { comment?: string } };
  const reason = changed.some(isStatus) ? resolution?.comment : undefined;
  return {
    ...bareRecord(after),
    decisionID: derivedId('plans', uid, action === 'deleted' ? 'deleted' : resourceVersion),
    kind: RecordKind[action],
    timestamp: toTimestamp(nowMs),
    actor,
    part: '',
    ...(reason === undefined ? {} : { reason: shortText(reason, MOST_TEXT) }),
    details: {
      kind,
      namespace,
      name,
      uid,
      generation,
      ...(action === 'deleted' ? {} : { resourceVersion, specSHA: digestOf(after) }),
      ...(before === undefined || action !== 'updated'
        ? {}
        : { before: { generation: before.metadata.generation ?? 1, specSHA: digestOf(before) } }),
      ...(changed.length === 0 ? {} : { changed: changed.slice(0, MOST_PATHS), changes: changed.length }),
      ...(kind === 'Gate' ? decisionOf(after, before) : {}),
    },
  };
}

/** What records about objects of plans have alike. */
export function bareRecord(
  object: Pick<PlanObject, 'kind' | 'metadata'>,
): Pick<DomainRecord, 'schemaVersion' | 'domain' | 'subject' | 'reasons' | 'errorDetails' | 'usedFacts'> {
  return {
    schemaVersion: 2,
    domain: AuditDomain.plans,
    subject: subjectOf(object),
    reasons: [],
    errorDetails: [],
    usedFacts: [],
  };
}

/** What audit queries call an object: `gate/prod/go-live`. */
export function subjectOf({ kind, metadata }: Pick<PlanObject, 'kind' | 'metadata'>): string {
  const { namespace, name } = metadata;
  return [kind.toLowerCase(), ...(namespace === '' ? [] : [namespace]), name].join('/');
}

/** Without what every write changes. */
function changedPaths(before: PlanObject, after: PlanObject): string[] {
  const parts = ({ spec, status = {}, metadata }: PlanObject): JsonObject => {
    const { resourceVersion: _revision, generation: _generation, ...meta } = metadata;
    const { observedGeneration: _seen, ...rest } = status;
    return { metadata: meta as unknown as JsonObject, spec, status: rest };
  };
  return diffJson(parts(before), parts(after), { lists: 'whole' }).map(({ path }) => shortText(path, 200));
}

/** Who decided a gate, and what of its history is new. */
function decisionOf({ status = {} }: PlanObject, before: PlanObject | undefined): JsonObject {
  const { phase = null, resolution, decidedGeneration } = status;
  const history = listOf(status.reviewHistory);
  const added = history.slice(listOf(before?.status?.reviewHistory).length);
  return {
    phase,
    ...(resolution === undefined ? {} : { resolution: bounded(resolution) }),
    ...(decidedGeneration === undefined ? {} : { decidedGeneration }),
    ...(added.length === 0 ? {} : { reviews: added.slice(-MOST_PATHS).map(bounded) }),
  };
}

function bounded(value: JsonValue): JsonValue {
  if (typeof value === 'string') return shortText(value, MOST_TEXT);
  if (Array.isArray(value)) return value.slice(0, 100).map(bounded);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_PATHS)
      .map(([key, each]) => [shortText(key, 200), bounded(each as JsonValue)]),
  );
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function digestOf({ spec }: PlanObject): string {
  return sha256(canonicalJson(spec));
}
