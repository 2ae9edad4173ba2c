import { NAMES_OTHERS, SELF_REVIEW_PATH } from '../../api/plans/self-review';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { kindNamed, type Kind } from '../../plans/kinds/kinds';
import { asJson, type PlanObject } from '../../plans/object';
import { PlanFailure } from '../../plans/service/plan-failure';
import type { Applied } from '../../plans/service/plan-service';
import type { LoadedSettings } from '../../settings/load-settings';
import { serverAddress } from '../server-address';
import { followObjects, type Followed } from './follow-objects';
import { createPlanRequests, pathOf, withQuery, type PlanRequests } from './plan-requests';

/** Where an object is, or where objects are. */
export interface ObjectPlace {
  kind: Kind;
  /** absent: all namespaces */
  namespace?: string;
  name?: string;
}

/** Where one object is. */
export type OnePlace = Required<ObjectPlace>;

export interface ObjectList {
  items: PlanObject[];
  /** a watch from there misses nothing */
  revision: string;
}

export interface WriteHow {
  /** says what would be stored, and stores nothing */
  dryRun?: boolean;
}

/** What is asked of a run. */
export interface RunAskBody {
  /** needed for a cancel */
  reason?: string;
  /** needed for a retry */
  node?: string;
  /** @default the one of the token, or the user of this computer */
  actor?: string;
}

/** Who asks, as the server knows it. */
export interface Myself {
  actor: string;
  /** it acts for whoever runs the command, by that one's name */
  namesOthers: boolean;
}

/** An object as the server stored it, or would, with what the server warns of. */
export interface Stored {
  object: PlanObject;
  warnings: readonly string[];
}

/**
 * The HTTP API of goals and plans. What the server refuses is thrown as a GateError with each fault (RevisionConflict for a
 * conflict, AccessDenied, ConfigInvalid, QuotaExceeded), or as a PlanFailure where no failure type says it, such as an object
 * that does not exist; a server that does not answer is a GateError StoreUnavailable that names its address.
 */
export interface PlanClient {
  /** of the server */
  baseUrl: string;
  /** who this client is to the server */
  whoAmI(): Promise<Myself>;
  /** undefined where there is no such object */
  find(place: OnePlace): Promise<PlanObject | undefined>;
  /** @throws PlanFailure NotFound */
  get(place: OnePlace): Promise<PlanObject>;
  /** All of a kind, in the order of their places, page after page. */
  list(place: Omit<ObjectPlace, 'name'>): Promise<ObjectList>;
  create(object: PlanObject, how?: WriteHow): Promise<Stored>;
  /** With `metadata.resourceVersion` only if it is still current. */
  replace(object: PlanObject, how?: WriteHow): Promise<Stored>;
  /** Writes nothing but the object's `status`. */
  replaceStatus(object: PlanObject, how?: WriteHow): Promise<Stored>;
  /**
   * Asks the run of an execution to end (`cancel`), or to run a node again that failed (`retry`).
   *
   * @throws PlanFailure NotFound; GateError ConfigInvalid where it cannot be done
   */
  askRun(place: OnePlace, kind: 'cancel' | 'retry', ask: RunAskBody): Promise<Stored>;
  /**
   * Resolves a goal that has ended as if it were new. @returns the goal as it is then.
   *
   * @throws PlanFailure NotFound; GateError ConfigInvalid where it cannot be done
   */
  resolveAgain(place: OnePlace): Promise<Stored>;
  /** @returns the object where it stays until its finalizers are gone. @throws PlanFailure NotFound */
  delete(place: OnePlace, how?: WriteHow): Promise<PlanObject | undefined>;
  /** Objects of one namespace, in one transaction. */
  apply(namespace: string, objects: readonly PlanObject[], how?: WriteHow): Promise<Applied>;
  /**
   * The objects that there are, then what happens to them, until `signal` is aborted: over lost connections and restarts of the
   * server. The first connection must succeed.
   */
  watch(place: ObjectPlace, signal: AbortSignal): AsyncGenerator<Followed>;
}

/** Objects of one page. */
const PAGE = 500;

/** A client of the server that the settings name; `serverAddress` says which, and with which token. */
export async function openPlanClient(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  server?: string,
): Promise<PlanClient> {
  const requests = createPlanRequests(await serverAddress(loaded, env, server));
  return createPlanClient(requests);
}

export function createPlanClient(requests: PlanRequests): PlanClient {
  const { baseUrl } = requests;
  const post = async (path: string, body: JsonObject): Promise<Stored> => {
    const answer = await requests.ask({ method: 'POST', path, body });
    return { object: answer.body as unknown as PlanObject, warnings: answer.warnings };
  };
  const write = async (method: string, path: string, object: PlanObject, { dryRun }: WriteHow): Promise<Stored> => {
    const { body, warnings } = await requests.ask({
      method,
      path: withQuery(path, dryRunQuery(dryRun)),
      body: asJson(object),
    });
    return { object: body as unknown as PlanObject, warnings };
  };

  async function get(place: OnePlace): Promise<PlanObject> {
    return (await requests.ask({ method: 'GET', path: pathOf(place) })).body as unknown as PlanObject;
  }

  return {
    baseUrl,
    get,

    async whoAmI() {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const answer = await requests.ask({ method: 'POST', root: SELF_REVIEW_PATH, path: '', body });
      const { userInfo } = answer.body.status as { userInfo: { username: string; extra?: JsonObject } };
      return { actor: userInfo.username, namesOthers: userInfo.extra?.[NAMES_OTHERS] !== undefined };
    },

    async find(place) {
      try {
        return await get(place);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    async list(place) {
      const items: PlanObject[] = [];
      let revision: string | undefined;
      for (let token = ''; ;) {
        const path = withQuery(pathOf(place), { limit: String(PAGE), ...(token === '' ? {} : { continue: token }) });
        const { body } = await requests.ask({ method: 'GET', path });
        const page = body as unknown as {
          items: PlanObject[];
          metadata: { resourceVersion: string; continue?: string };
        };
        items.push(...page.items);
        revision ??= page.metadata.resourceVersion;
        token = page.metadata.continue ?? '';
        if (token === '') return { items, revision };
      }
    },

    create: (object, how = {}) => write('POST', pathOf({ ...placeOf(object), name: undefined }), object, how),
    replace: (object, how = {}) => write('PUT', pathOf(placeOf(object)), object, how),
    replaceStatus: (object, how = {}) => write('PUT', `${pathOf(placeOf(object))}/status`, object, how),

    askRun: (place, kind, ask) => post(`${pathOf(place)}/${kind}`, { ...ask } as JsonObject),
    resolveAgain: (place) => post(`${pathOf(place)}/again`, {}),

    async delete(place, { dryRun } = {}) {
      const { body } = await requests.ask({ method: 'DELETE', path: withQuery(pathOf(place), dryRunQuery(dryRun)) });
      return body.kind === 'Status' ? undefined : (body as unknown as PlanObject);
    },

    async apply(namespace, objects, { dryRun } = {}) {
      const path = withQuery(`/namespaces/${encodeURIComponent(namespace)}/apply`, dryRunQuery(dryRun));
      const { body, warnings } = await requests.ask({ method: 'POST', path, body: objects.map(asJson) as JsonValue });
      return { applied: (body as unknown as Applied).applied, warnings: [...warnings] };
    },

    watch: (place, signal) => followObjects(requests, place, signal),
  };
}

/** Whether a client's failure says that there is no such object. */
export function isNotFound(error: unknown): boolean {
  return error instanceof PlanFailure && error.body.reason === 'NotFound';
}

function dryRunQuery(dryRun = false): Record<string, string> {
  return dryRun ? { dryRun: 'All' } : {};
}

function placeOf({ kind, metadata }: PlanObject): OnePlace {
  const known = kindNamed(kind);
  if (known === undefined) throw new TypeError(`Expected an object of a known kind, got ${kind}`);
  return { kind: known, namespace: metadata.namespace, name: metadata.name };
}
