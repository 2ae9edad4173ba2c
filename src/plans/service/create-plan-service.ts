import { canonicalJson } from '../../kernel/canonical-json';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { isRunByGate, type PlanRuntime } from '../execution/plan-run';
import type { Kind } from '../kinds/kinds';
import { asJson, objectName, type PlanObject } from '../object';
import { jsonPatch, mergePatch } from '../serving/patches';
import type { Reviewer } from '../serving/gate-reviews';
import { compareRevisions, parseContinueToken, toContinueToken } from '../serving/resource-version';
import { isListed } from '../serving/watch-events';
import { createObject, deleteObject, replaceObject, replaceStatus, type WriteOutcome } from '../serving/write-object';
import type { ObjectKey, PlanStore, WriteSession } from '../store/plan-store';
import { applyObjects } from './apply-objects';
import { askRun, readAsk } from './ask-runs';
import { changeRecord } from './change-record';
import { takeCallback } from './callbacks';
import { carriedBy, checkBody, fieldWarnings, named, placed, toValidation } from './checked-body';
import type { EventFeed } from './event-feed';
import { deleteNamespace, endNamespace, ensureNamespace, NAMESPACE, namespaceKey } from './namespaces';
import { ownedByPlan, removeWithOwned, withOwnersOf } from './owned-objects';
import { pinPlan } from './pin-plan';
import { invalidFailure, planFailure, type PlanFailure } from './plan-failure';
import type {
  Caller,
  DeleteRequest,
  Listed,
  ListRequest,
  Place,
  PlanService,
  WriteRequest,
  Written,
} from './plan-service';
import { readAgain, resolveAgain } from './resolve-again';
import { watchObjects } from './watch-objects';

export interface PlanServiceParts {
  store: PlanStore;
  feed: EventFeed;
  /** epoch milliseconds */
  now(): number;
  newId(): string;
  /** a watch began (1) or ended (-1) */
  onWatchers?(change: 1 | -1): void;
  /** a write ended, which may have left audit records */
  onWritten?(): void;
  /** what runs executions; absent: those whose runtime is the gate are refused */
  runtime?: PlanRuntime;
}

/** Whoever calls back has a token of one node, and no rights beside it. */
const NOBODY: Caller = { mayWriteStatus: () => false };

/** Ends a transaction whose answer is wanted and whose writes are not. */
class DryRun<T> extends Error {
  constructor(readonly result: T) {
    super('A dry run stores nothing');
  }
}

/** The use cases over a store; it keeps nothing itself. */
export function createPlanService({
  store,
  feed,
  now,
  newId,
  runtime,
  onWatchers,
  onWritten,
}: PlanServiceParts): PlanService {
  /** One transaction; of a dry run, all but its end. */
  async function inWrite<T>({ dryRun }: WriteRequest, change: (session: WriteSession) => Promise<T>): Promise<T> {
    if (dryRun !== true) {
      const result = await store.write(change);
      onWritten?.();
      return result;
    }
    try {
      return await store.write(async (session) => {
        throw new DryRun(await change(session));
      });
    } catch (error) {
      if (error instanceof DryRun) return error.result as T;
      throw error;
    }
  }

  async function createIn(
    session: WriteSession,
    { object: sent, kind, warnings }: { object: PlanObject; kind: Kind; warnings: readonly string[] },
    request: WriteRequest,
  ): Promise<Written> {
    const nowMs = now();
    await ensureNamespace(session, sent.metadata.namespace, { nowMs, newId });
    const owned = kind.kind === 'Execution' ? await ownedByPlan(session, sent) : sent;
    if (!isRunByGate(owned)) {
      const outcome = createObject(owned, { nowMs, uid: newId(), reviewer: reviewerOf(request) });
      return carryOut(session, outcome, undefined, request, warnings);
    }
    const { status: sentStatus, ...bare } = owned;
    const { status, faults } = await pinPlan(session, owned, { nowMs, ...(runtime === undefined ? {} : { runtime }) });
    if (faults !== undefined) throw invalidFailure(faults);
    const outcome = createObject(bare, { nowMs, uid: newId() });
    if (outcome.action === 'created') outcome.object.status = { ...outcome.object.status, ...status };
    const more = sentStatus === undefined ? [] : [STATUS_OF_RUN];
    return carryOut(session, outcome, undefined, request, [...warnings, ...more]);
  }

  async function replaceIn(
    session: WriteSession,
    stored: PlanObject,
    { object: sent, kind, warnings }: { object: PlanObject; kind: Kind; warnings: readonly string[] },
    carried: string | undefined,
    request: WriteRequest,
  ): Promise<Written> {
    const metadata = kind.kind === 'Execution' ? withOwnersOf(stored, sent) : sent.metadata;
    const version = carried === undefined ? {} : { carried };
    const { status, ...rest } = sent;
    const takesStatus = status !== undefined && !isRunByGate(stored);
    const object = { ...rest, metadata, ...(takesStatus ? { status } : {}) };
    const outcome = replaceObject(stored, object, { nowMs: now(), reviewer: reviewerOf(request), ...version });
    const isIgnored = status !== undefined && !takesStatus && !isSameJson(status, stored.status);
    return carryOut(session, outcome, stored, request, [...warnings, ...(isIgnored ? [STATUS_OF_RUN] : [])]);
  }

  async function statusIn(
    session: WriteSession,
    stored: PlanObject,
    { kind, name }: Place,
    body: JsonObject,
    carried: string | undefined,
    request: WriteRequest,
  ): Promise<Written> {
    refuseStatusOfRun(stored);
    const outcome = replaceStatus(stored, body, {
      by: 'client',
      nowMs: now(),
      reviewer: reviewerOf(request),
      ...(carried === undefined ? {} : { carried }),
    });
    const warnings = fieldWarnings(kind, name, body, request.fieldValidation);
    return carryOut(session, outcome, stored, request, warnings);
  }

  async function carryOut(
    session: WriteSession,
    outcome: WriteOutcome,
    before: PlanObject | undefined,
    { caller, dryRun = false }: WriteRequest,
    more: readonly string[] = [],
    options: { orphan?: boolean } = {},
  ): Promise<Written> {
    if (outcome.action === 'conflict') throw planFailure('Conflict', outcome.message);
    if (outcome.action === 'invalid') throw invalidFailure(outcome.faults);
    const { action, object } = outcome;
    if (outcome.writesStatus && !caller.mayWriteStatus(object.kind)) {
      const right = object.kind === 'Gate' ? 'decide gates' : 'write status';
      throw planFailure(
        'Forbidden',
        `Expected a caller that may ${right}: ${objectName(object)} was sent with a status`,
      );
    }
    const warnings = [...more, ...outcome.warnings];
    const note = (after: PlanObject): void => {
      const { actor = 'server' } = caller;
      const record = action === 'unchanged' ? undefined : changeRecord({ action, before, after, actor, nowMs: now() });
      if (record !== undefined) session.record(record);
    };
    switch (action) {
      case 'created': {
        const stored = await session.create(object);
        note(stored);
        // What was not stored has no revision.
        return { action, object: dryRun ? object : stored, warnings };
      }
      case 'updated': {
        const stored = await session.update(object, before!);
        note(stored);
        return { action, object: dryRun ? object : stored, warnings };
      }
      case 'unchanged':
        return { action, object, warnings };
      case 'deleted':
        await removeWithOwned(session, object, now(), options);
        await endNamespace(session, object.metadata.namespace);
        note(object);
        return { action, object, warnings };
      default:
        return action satisfies never;
    }
  }

  async function requireEvents(from: string): Promise<void> {
    await feed.after(from, 1);
    const revision = await store.revision();
    // Of a store that was restored since, or of another one: waiting for it would be to miss what happens until then.
    if (compareRevisions(from, revision) > 0) throw notReached(from, revision);
  }

  return {
    async get(place) {
      return (await store.get(keyOf(place))) ?? missing(place);
    },

    async list({ kind, filter, limit, continueToken, asked }: ListRequest): Promise<Listed> {
      const list = { kind: kind.kind, ...(filter.namespace === undefined ? {} : { namespace: filter.namespace }) };
      const token = continueToken === undefined ? undefined : parseContinueToken(continueToken, list);
      if (token?.fault !== undefined) throw planFailure('BadRequest', `Bad request: ${token.fault}`);
      const from = token?.value;
      if (from !== undefined) await requireEvents(from.revision);
      // A selector is met or not by objects, not by rows: with one, the page is cut here.
      const isFiltered = (filter.labels ?? []).length > 0 || (filter.fields ?? []).length > 0;
      const { items, revision } = await store.list({
        ...list,
        ...(from === undefined ? {} : { after: from.after }),
        ...(limit === undefined || isFiltered ? {} : { limit: limit + 1 }),
      });
      const difference = asked === undefined ? 0 : compareRevisions(asked.revision, revision);
      if (difference > 0) throw notReached(asked!.revision, revision);
      if (asked?.exact === true && difference < 0) {
        const message = `Expected the newest resourceVersion, which alone can be listed: ${revision}, got ${asked.revision}`;
        throw planFailure('Expired', message);
      }
      const found = isFiltered ? items.filter(({ metadata }) => isListed(metadata, filter)) : items;
      const page = limit === undefined ? found : found.slice(0, limit);
      const first = from?.revision ?? revision;
      if (page.length === found.length || page.length === 0) return { items: page, revision: first };
      const { namespace, name } = page.at(-1)!.metadata;
      return {
        items: page,
        revision: first,
        continueToken: toContinueToken({ revision: first, kind: kind.kind, after: { namespace, name } }),
      };
    },

    async *watch(query, signal) {
      onWatchers?.(1);
      try {
        yield* watchObjects({ store, feed }, query, signal);
      } finally {
        onWatchers?.(-1);
      }
    },
    requireEvents,

    async create({ kind, namespace }, body, request) {
      const checked = checkBody(named(placed(body, { namespace }), newId), kind, request);
      return inWrite(request, async (session) => {
        const { name } = checked.object.metadata;
        if ((await session.get({ kind: kind.kind, namespace, name })) !== undefined) exists(kind, namespace, name);
        return createIn(session, checked, request);
      });
    },

    async replace(place, body, request) {
      const checked = checkBody(placed(body, place), place.kind, request);
      const carried = carriedBy(body);
      return inWrite(request, async (session) =>
        replaceIn(session, await readIn(session, place), checked, carried, request),
      );
    },

    async replaceStatus(place, body, request) {
      if (!isJsonObject(body)) throw planFailure('Invalid', 'Expected an object with status');
      if (body.kind !== undefined && body.kind !== place.kind.kind) {
        const message = `Expected kind to be ${place.kind.kind}, as the path has it`;
        throw planFailure('Invalid', message);
      }
      const carried = carriedBy(body);
      return inWrite(request, async (session) =>
        statusIn(session, await readIn(session, place), place, body, carried, request),
      );
    },

    async patch(place, patch, request) {
      return inWrite(request, async (session) => {
        const stored = await readIn(session, place);
        const patched = (request.type === 'merge' ? mergePatch : jsonPatch)(asJson(stored), patch);
        if (patched.fault !== undefined) throw planFailure('Invalid', `The patch does not apply: ${patched.fault}`);
        const { value } = patched;
        const carried =
          patched.carried === undefined ? undefined : carriedBy({ metadata: { resourceVersion: patched.carried } });
        if (request.status === true)
          return statusIn(session, stored, place, isJsonObject(value) ? value : {}, carried, request);
        const checked = checkBody(placed(value, place), place.kind, request);
        return replaceIn(session, stored, checked, carried, request);
      });
    },

    async delete(place, request) {
      return inWrite(request, async (session) => {
        const stored = await readIn(session, place);
        requireSame(stored, request);
        const outcome = deleteObject(stored, { nowMs: now() });
        return carryOut(session, outcome, stored, request, [], { orphan: request.orphan === true });
      });
    },

    async deleteAll({ kind, namespace, filter }, request) {
      return inWrite(request, async (session) => {
        const found = await session.list({ kind: kind.kind, namespace });
        const meant = found.filter(({ metadata }) => isListed(metadata, { ...filter, namespace }));
        for (const { metadata } of meant) {
          // One that another owned is gone by now.
          const stored = await session.get({ kind: kind.kind, namespace, name: metadata.name });
          if (stored === undefined) continue;
          const outcome = deleteObject(stored, { nowMs: now() });
          await carryOut(session, outcome, stored, request, [], { orphan: request.orphan === true });
        }
        return meant;
      });
    },

    async askRun(place, kind, body, request) {
      const ask = readAsk(kind, body, request.caller);
      return inWrite(request, async (session) =>
        askRun(session, await readIn(session, place), ask, { runtime, nowMs: now(), newId }),
      );
    },

    async resolveAgain(place, body, request) {
      const asked = readAgain(body, request.caller);
      return inWrite(request, async (session) => resolveAgain(session, await readIn(session, place), asked, now()));
    },

    callBack: (place, token, body) =>
      inWrite({ caller: NOBODY }, (session) => takeCallback(session, place, token, body, now())),

    apply: (namespace, body, request) =>
      applyObjects(namespace, body, request, (work) => inWrite(request, work), { createIn, replaceIn }),

    validate(body) {
      const results = listOf(body).map(toValidation);
      return { valid: results.every(({ valid }) => valid === true), results };
    },

    async createNamespace(body, request) {
      const metadata = isJsonObject(body) && isJsonObject(body.metadata) ? body.metadata : {};
      const { name } = metadata;
      if (typeof name !== 'string')
        throw planFailure('Invalid', 'Expected metadata.name to be the name of a namespace');
      return inWrite(request, async (session) => {
        const { object, created } = await ensureNamespace(session, name, { nowMs: now(), newId });
        if (!created) throw planFailure('AlreadyExists', `namespaces ${JSON.stringify(name)} already exists`);
        return { action: 'created', object, warnings: [] };
      });
    },

    async deleteNamespace(name, request) {
      return inWrite(request, async (session) => {
        const namespace = await session.get(namespaceKey(name));
        if (namespace === undefined) return missing({ kind: NAMESPACE, namespace: '', name });
        requireSame(namespace, request);
        const isGone = await deleteNamespace(session, namespace, now());
        const { actor = 'server' } = request.caller;
        const what = { before: namespace, after: namespace, actor, nowMs: now() };
        const record = changeRecord({ action: 'deleted', ...what });
        if (record !== undefined) session.record(record);
        return { action: isGone ? 'deleted' : 'updated', object: namespace, warnings: [] };
      });
    },
  };
}

function reviewerOf({ caller: { actor = 'server', namesOthers = true } }: WriteRequest): Reviewer {
  return { actor, namesOthers };
}

function notReached(asked: string, newest: string): PlanFailure {
  const message = `Expected a resourceVersion that this server gave: the newest is ${newest}, got ${asked}; list again`;
  return planFailure('Expired', message);
}

/** @throws PlanFailure Invalid */
export function listOf(body: JsonValue): readonly JsonValue[] {
  if (Array.isArray(body)) return body;
  throw planFailure('Invalid', 'Expected the body to be a list of objects');
}

function keyOf({ kind, namespace, name }: Place): ObjectKey {
  return { kind: kind.kind, namespace, name };
}

async function readIn(session: WriteSession, place: Place): Promise<PlanObject> {
  return (await session.get(keyOf(place))) ?? missing(place);
}

function missing({ kind, name }: Place): never {
  const { resource } = kind;
  throw planFailure('NotFound', `${resource} ${JSON.stringify(name)} not found`, { kind: resource, name });
}

function exists({ resource }: Kind, namespace: string, name: string): never {
  const message = `${resource} ${JSON.stringify(name)} already exists in namespace ${namespace}`;
  throw planFailure('AlreadyExists', message, { kind: resource, name });
}

function requireSame({ metadata }: PlanObject, { preconditions = {} }: DeleteRequest): void {
  const { uid, resourceVersion } = preconditions;
  if (
    (uid === undefined || uid === metadata.uid) &&
    (resourceVersion ?? metadata.resourceVersion) === metadata.resourceVersion
  )
    return;
  const said = `uid ${metadata.uid}, resourceVersion ${metadata.resourceVersion}`;
  throw planFailure('Conflict', `Precondition failed: the object has ${said}`);
}

const STATUS_OF_RUN = 'status is not taken: the gate runs this execution, and alone writes its status';

/** Who wants another status steers the run. */
function refuseStatusOfRun(stored: PlanObject): void {
  if (isRunByGate(stored)) throw planFailure('Invalid', STATUS_OF_RUN);
}

function isSameJson(one: unknown, other: unknown): boolean {
  return canonicalJson(one as JsonValue) === canonicalJson((other ?? {}) as JsonValue);
}
