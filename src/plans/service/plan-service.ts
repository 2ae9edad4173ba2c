import type { JsonObject, JsonValue } from '../../kernel/json';
import type { Kind } from '../kinds/kinds';
import type { PlanObject } from '../object';
import type { Filter } from '../serving/watch-events';
import type { WatchQuery, WatchStep } from './watch-objects';

/** Who asks, as far as the use cases must know. */
export interface Caller {
  /** its name in audit records and the reviews of gates; @default `server` */
  actor?: string;
  /** whether it may name others who decide a gate, in place of itself; @default true */
  namesOthers?: boolean;
  /** whether it may write the status of objects of a kind; for a Gate that is to approve */
  mayWriteStatus(kind: string): boolean;
}

export interface WriteRequest {
  caller: Caller;
  /** tells what would be stored, and stores nothing */
  dryRun?: boolean;
  /** what becomes of fields that the schema does not know; @default 'Ignore' */
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}

export interface DeleteRequest extends WriteRequest {
  /** the deletion is refused when the object is another one by now */
  preconditions?: { uid?: string; resourceVersion?: string };
  /** leaves what the object owns */
  orphan?: boolean;
}

/** What a write came to. */
export interface Written {
  action: 'created' | 'updated' | 'unchanged' | 'deleted';
  object: PlanObject;
  warnings: readonly string[];
}

/** Where an object is, by its path. */
export interface Place {
  kind: Kind;
  namespace: string;
  name: string;
}

export interface ListRequest {
  kind: Kind;
  filter: Filter;
  /** objects at most; absent: all */
  limit?: number;
  /** the token of the page before */
  continueToken?: string;
  /** the list is to be of this state, or of one that is not older. @throws PlanFailure Expired where it cannot be */
  asked?: { revision: string; exact: boolean };
}

export interface Listed {
  items: PlanObject[];
  /** that of the first page: a watch from there misses nothing, whatever was written between two pages */
  revision: string;
  continueToken?: string;
}

export interface Applied {
  applied: { kind: string; name: string; namespace: string; action: Written['action'] }[];
  warnings: string[];
}

export interface PatchRequest extends WriteRequest {
  type: 'merge' | 'json';
  /** patches the status alone */
  status?: boolean;
}

/**
 * The use cases of goals, plans and what belongs to them: HTTP routes and commands call nothing else. A request that cannot be
 * met throws a PlanFailure; a store that does not answer, a GateError StoreUnavailable.
 */
export interface PlanService {
  get(place: Place): Promise<PlanObject>;
  list(request: ListRequest): Promise<Listed>;
  /** @throws EventsExpiredError when the events from there on are not kept any more */
  watch(query: WatchQuery, signal: AbortSignal): AsyncGenerator<WatchStep>;
  /** @throws EventsExpiredError as a watch from there would; PlanFailure Expired for a revision that the store has not reached */
  requireEvents(from: string): Promise<void>;
  /** An object without a name, and with `metadata.generateName`, gets a name that begins so. */
  create(place: Omit<Place, 'name'>, body: JsonValue, request: WriteRequest): Promise<Written>;
  replace(place: Place, body: JsonValue, request: WriteRequest): Promise<Written>;
  replaceStatus(place: Place, body: JsonValue, request: WriteRequest): Promise<Written>;
  patch(place: Place, patch: JsonValue, request: PatchRequest): Promise<Written>;
  delete(place: Place, request: DeleteRequest): Promise<Written>;
  /** Deletes what a filter finds in a namespace: all of it, or nothing. @returns the objects as they were */
  deleteAll(
    place: Omit<Place, 'name'> & { filter: Filter },
    request: Omit<DeleteRequest, 'preconditions'>,
  ): Promise<PlanObject[]>;
  /**
   * Asks the run of an execution to end and to take back what its nodes did (`cancel`), or to run a node again that failed
   * (`retry`): `{"reason", "actor"?}` and `{"node", "reason"?, "actor"?}`. The answer is the execution as it is then; the run follows.
   */
  askRun(place: Place, kind: 'cancel' | 'retry', body: JsonValue, request: WriteRequest): Promise<Written>;
  /**
   * Resolves a goal that has ended as if it were new: `{"reason"?, "actor"?}`. Refused while it is executed, once its timeout
   * is over, and where no plan would win. The answer is the goal as it is then.
   */
  resolveAgain(place: Place, body: JsonValue, request: WriteRequest): Promise<Written>;
  /** How the work of a node outside ended, as whoever has its token says; see `takeCallback`. */
  callBack(place: { namespace: string; name: string; node: string }, token: string, body: string): Promise<Written>;
  /** All objects are stored, or none. Each goes into this namespace. */
  apply(namespace: string, body: JsonValue, request: WriteRequest): Promise<Applied>;
  /** Checks objects without storing them. */
  validate(body: JsonValue): JsonObject;
  createNamespace(body: JsonValue, request: WriteRequest): Promise<Written>;
  deleteNamespace(name: string, request: DeleteRequest): Promise<Written>;
}
