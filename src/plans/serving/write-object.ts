import { canonicalJson } from '../../kernel/canonical-json';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { toTimestamp } from '../../kernel/time';
import type { SchemaFault } from '../../platform/documents/validate';
import { approvalFaults } from '../execution/gate-approval';
import { checkObject } from '../kinds/check-object';
import type { Gate } from '../kinds/gate';
import { kindNamed } from '../kinds/kinds';
import type { Plan } from '../kinds/plan';
import { asJson, type ObjectMeta, type PlanObject } from '../object';
import { withReviews, type GateStatus, type Reviewer } from './gate-reviews';
import { initialStatus, planStatus, seenGeneration } from './initial-status';
import { clientsStatus, withControllers } from './status-owners';

/** What a write comes to. Only `created`, `updated` and `deleted` are stored, and have an event. */
export type WriteOutcome =
  | { action: 'created' | 'updated'; object: PlanObject; warnings: readonly string[]; writesStatus: boolean }
  | { action: 'unchanged'; object: PlanObject; warnings: readonly string[]; writesStatus: boolean }
  /** its last finalizer went, and it was to be deleted */
  | { action: 'deleted'; object: PlanObject; warnings: readonly string[]; writesStatus: boolean }
  | { action: 'conflict'; message: string }
  | { action: 'invalid'; faults: readonly SchemaFault[] };

export interface WriteOptions {
  nowMs: number;
  /** who writes, for the history of a gate; @default the server itself */
  reviewer?: Reviewer;
}

const ITSELF: Reviewer = { actor: 'server', namesOthers: true };

/**
 * A new object as it is stored, less its `resourceVersion`, which the store gives it.
 *
 * @param sent a checked object
 * @param uid of the object from now on
 */
export function createObject(sent: PlanObject, { nowMs, uid, reviewer }: WriteOptions & { uid: string }): WriteOutcome {
  const metadata: ObjectMeta = {
    ...usersMetadata(sent.metadata),
    uid,
    generation: 1,
    creationTimestamp: toTimestamp(nowMs),
  };
  const bare = { ...sent, metadata };
  const status = clientsStatus(sent.kind, sent.status);
  const first: PlanObject = { ...bare, status: initialStatus(bare, status, nowMs) };
  const { object, faults } = reviewed(first, undefined, { nowMs, reviewer });
  if (Object.keys(status).length > 0 && faults.length > 0) return { action: 'invalid', faults };
  return { action: 'created', object, warnings: [], writesStatus: Object.keys(status).length > 0 };
}

/**
 * An object after a PUT, a PATCH or an apply. A write without `status` keeps it; fields of a status that differ from the stored
 * ones are taken only where the write carries the current `resourceVersion`; otherwise it is left out with a warning. The same object
 * again changes nothing.
 *
 * @param sent a checked object of the stored one's kind and place
 * @param carried the `resourceVersion` that the write itself carries, which a patched object does not say
 */
export function replaceObject(
  stored: PlanObject,
  sent: PlanObject,
  { nowMs, carried, reviewer }: WriteOptions & { carried?: string },
): WriteOutcome {
  const conflict = conflictWith(stored, carried);
  if (conflict !== undefined) return conflict;
  const isSameSpec = isSame(stored.spec, sent.spec);
  if (stored.kind === 'Execution' && !isSameSpec) {
    const sentence = 'expected the spec of the stored execution: it cannot change once it is created';
    return { action: 'invalid', faults: [{ pointer: '/spec', sentence }] };
  }
  const { metadata: was } = stored;
  const isGoing = was.deletionTimestamp !== undefined;
  const added = (sent.metadata.finalizers ?? []).filter((each) => !(was.finalizers ?? []).includes(each));
  if (isGoing && added.length > 0) {
    const sentence = `expected no new finalizers on an object that is being deleted, got ${added.join(', ')}`;
    return { action: 'invalid', faults: [{ pointer: '/metadata/finalizers', sentence }] };
  }
  const metadata: ObjectMeta = {
    ...usersMetadata(sent.metadata),
    ...serversMetadata(was),
    generation: (was.generation ?? 1) + (isSameSpec ? 0 : 1),
  };
  const { status: sentStatus, ...rest } = sent;
  let object: PlanObject = { ...rest, metadata, status: stored.status ?? {} };
  const warnings: string[] = [];
  const had = clientsStatus(stored.kind, stored.status);
  // Field by field: a file that says a phase alone says nothing of the conditions.
  const asked = { ...had, ...clientsStatus(stored.kind, sentStatus) };
  let writesStatus = false;
  if (sentStatus !== undefined && stored.kind !== 'Plan' && !isSame(asked, had)) {
    if (carried === undefined) {
      warnings.push('status is not taken: a write that changes it carries the current metadata.resourceVersion');
    } else {
      writesStatus = true;
      object.status = withControllers(stored.kind, asked, stored.status);
    }
  }
  object.status = statusAfter(object, nowMs);
  if (writesStatus) {
    const { object: next, faults } = reviewed(object, stored.status, { nowMs, reviewer });
    if (faults.length > 0) return { action: 'invalid', faults };
    object = next;
  }
  if (isGoing && (metadata.finalizers ?? []).length === 0) return { action: 'deleted', object, warnings, writesStatus };
  const action = isSame(object, stored) ? 'unchanged' : 'updated';
  return { action, object: action === 'unchanged' ? stored : object, warnings, writesStatus };
}

/**
 * An object after a write to its `status` sub-resource, which touches nothing else. A client's write leaves what is the
 * controller's; the controller's own takes the status as it is.
 *
 * @param sent the body: its `status` counts, and is checked here
 */
export function replaceStatus(
  stored: PlanObject,
  sent: JsonObject,
  options: { carried?: string } & ({ by: 'controller' } | ({ by: 'client' } & WriteOptions)),
): WriteOutcome {
  const { carried, by } = options;
  const conflict = conflictWith(stored, carried);
  if (conflict !== undefined) return conflict;
  const { status } = sent;
  if (status === undefined) return { action: 'unchanged', object: stored, warnings: [], writesStatus: true };
  const asked = isJsonObject(status) ? status : {};
  const next =
    by === 'controller' ? asked : withControllers(stored.kind, clientsStatus(stored.kind, asked), stored.status);
  const wanted: PlanObject = { ...stored, status: isJsonObject(status) ? next : (status as unknown as JsonObject) };
  const { faults } = checkObject(asJson(wanted), { expected: kindNamed(stored.kind)! });
  if (faults.length > 0) return { action: 'invalid', faults };
  const { object, faults: further } =
    by === 'client' ? reviewed(wanted, stored.status, options) : { object: wanted, faults: [] };
  if (further.length > 0) return { action: 'invalid', faults: further };
  const warnings =
    by === 'client' && !isSame(next, asked) && !isSame(clientsStatus(stored.kind, asked), asked)
      ? ["what is the controller's in status was left as it is"]
      : [];
  const action = isSame(object, stored) ? 'unchanged' : 'updated';
  return { action, object: action === 'unchanged' ? stored : object, warnings, writesStatus: true };
}

/** An object whose deletion was asked for: gone at once, or marked until its finalizers are gone. */
export function deleteObject(
  stored: PlanObject,
  { nowMs, carried }: WriteOptions & { carried?: string },
): WriteOutcome {
  const conflict = conflictWith(stored, carried);
  if (conflict !== undefined) return conflict;
  const said = { warnings: [], writesStatus: false };
  const { metadata } = stored;
  if ((metadata.finalizers ?? []).length === 0) return { action: 'deleted', object: stored, ...said };
  if (metadata.deletionTimestamp !== undefined) return { action: 'unchanged', object: stored, ...said };
  return {
    action: 'updated',
    object: { ...stored, metadata: { ...metadata, deletionTimestamp: toTimestamp(nowMs) } },
    ...said,
  };
}

/** The object with the revision of the write that stored it. */
export function stamped(object: PlanObject, revision: string): PlanObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: revision } };
}

function conflictWith(stored: PlanObject, carried: string | undefined): WriteOutcome | undefined {
  const { resourceVersion } = stored.metadata;
  if (carried === undefined || carried === resourceVersion) return undefined;
  return {
    action: 'conflict',
    message: `Conflict: resourceVersion mismatch (expected ${carried}, got ${resourceVersion ?? 'none'})`,
  };
}

const SERVERS = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
  'generateName',
];

function usersMetadata(metadata: ObjectMeta): ObjectMeta {
  return Object.fromEntries(
    Object.entries(metadata).filter(([key]) => !SERVERS.includes(key)),
  ) as unknown as ObjectMeta;
}

function serversMetadata(metadata: ObjectMeta): Partial<ObjectMeta> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => SERVERS.includes(key)));
}

/** What the server itself says in the status of what it stores. */
function statusAfter(object: PlanObject, nowMs: number): JsonObject {
  const status = object.status ?? {};
  if (object.kind === 'Plan') return planStatus(object as unknown as Plan, status, nowMs);
  return { ...status, ...seenGeneration(object) };
}

/** A gate's resolution has its rules on every way in, and its reviews are kept; other kinds are as they were asked for. */
function reviewed(
  object: PlanObject,
  before: JsonObject | undefined,
  { nowMs, reviewer }: { nowMs: number; reviewer?: Reviewer | undefined },
): { object: PlanObject; faults: readonly SchemaFault[] } {
  if (object.kind !== 'Gate') return { object, faults: [] };
  const generation = object.metadata.generation ?? 1;
  const { status, faults } = withReviews(before as GateStatus | undefined, object.status as GateStatus, {
    generation,
    nowMs,
    by: reviewer ?? ITSELF,
  });
  const isClaimed = DECISION.some((key) => !isSame(before?.[key] ?? null, object.status?.[key] ?? null));
  return {
    object: { ...object, status: status as JsonObject },
    // A gate that was edited since it was decided keeps its decision, which is for an older generation.
    faults: [...(isClaimed ? approvalFaults(object as unknown as Gate) : []), ...faults],
  };
}

const DECISION = ['phase', 'resolution', 'decidedGeneration'];

function isSame(one: unknown, other: unknown): boolean {
  return one === other || canonicalJson(one as JsonValue) === canonicalJson(other as JsonValue);
}
