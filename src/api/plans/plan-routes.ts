import { isJsonObject, type JsonObject } from '../../kernel/json';
import { kindOfResource, type Kind } from '../../plans/kinds/kinds';
import type { PlanObject } from '../../plans/object';
import { API_VERSION } from '../../plans/object';
import { NAMESPACE } from '../../plans/service/namespaces';
import { planFailure } from '../../plans/service/plan-failure';
import type { Place, PlanService, Written } from '../../plans/service/plan-service';
import { toTable } from '../../plans/serving/table';
import { success } from '../../plans/serving/status-object';
import type { NodeServerRequest, NodeServerResponse } from '../rpc/node-request';
import { isAdmitted, Role, type Principal } from '../rpc/role';
import { ok, toServed, type Answer } from './answers';
import {
  isOn,
  readBody,
  readFilter,
  readJson,
  readListRevision,
  readRevision,
  readWhole,
  readWrite,
  requireMediaType,
  wantsTable,
} from './request';
import { readDelete } from './delete-options';
import { ACTOR_HEADER, actingFor } from './self-review';
import { answerLines, answerServerSent, type WatchAnswer } from './watch-answer';
import { readVersion } from '../../plans/service/checked-body';

/** Where the objects are. */
export const PLANS_ROOT = `/apis/${API_VERSION}`;

/** One request, and what answers it. */
export interface Call {
  service: PlanService;
  request: NodeServerRequest;
  response: NodeServerResponse;
  caller: Principal;
  /** behind `PLANS_ROOT`, decoded */
  parts: readonly string[];
  query: URLSearchParams;
  stopping: AbortSignal;
  maxBodyBytes: number;
  nowMs(): number;
  onUnexpected(error: unknown): void;
}

/**
 * Answers a request of the API.
 *
 * @returns undefined when the answer is a stream, which has ended
 * @throws PlanFailure
 */
export async function answerPlans(call: Call): Promise<Answer | undefined> {
  const [first, second, third, fourth, fifth, ...more] = call.parts;
  if (more.length > 0) return nothing(call);
  if (first === 'validate' && second === undefined) {
    requireMethod(call, 'POST');
    return ok(call.service.validate(readJson(await body(call))));
  }
  if (first !== 'namespaces') {
    // All namespaces.
    const kind = kindOfResource(first ?? '');
    if (kind === undefined || third !== undefined) return nothing(call);
    if (second === 'watch') return answerSse(call, kind, undefined);
    return second === undefined ? listOrWatch(call, kind, undefined) : nothing(call);
  }
  if (second === undefined) return answerNamespaces(call);
  if (third === undefined) return answerNamespace(call, second);
  if (third === 'apply' && fourth === undefined) return answerApply(call, second);
  const kind = kindOfResource(third);
  if (kind === undefined) return nothing(call);
  if (fourth === undefined) {
    if (call.request.method === 'POST') return answerCreate(call, kind, second);
    return call.request.method === 'DELETE' ? answerDeleteAll(call, kind, second) : listOrWatch(call, kind, second);
  }
  if (fourth === 'watch' && fifth === undefined) return answerSse(call, kind, second);
  const place: Place = { kind, namespace: second, name: fourth };
  if (fifth === undefined) return answerObject(call, place);
  if (fifth === 'status') return answerStatus(call, place);
  if ((fifth === 'cancel' || fifth === 'retry') && kind.kind === 'Execution') {
    requireMethod(call, 'POST');
    requireRunner(call, second);
    return written(await call.service.askRun(place, fifth, readJson(await body(call)), write(call)));
  }
  if (fifth === 'again' && kind.kind === 'Goal') {
    requireMethod(call, 'POST');
    requireRunner(call, second);
    return written(await call.service.resolveAgain(place, readJson(await body(call)), write(call)));
  }
  if (fifth === 'graph' && kind.kind === 'Plan') {
    requireMethod(call, 'GET');
    return ok((await call.service.get(place)).spec.graph ?? null);
  }
  return nothing(call);
}

async function answerNamespaces(call: Call): Promise<Answer | undefined> {
  const { service, request } = call;
  if (request.method !== 'POST') return listOrWatch(call, NAMESPACE, undefined);
  const sent = readJson(await body(call));
  const metadata = isJsonObject(sent) && isJsonObject(sent.metadata) ? sent.metadata : {};
  requireWriter(call, typeof metadata.name === 'string' ? metadata.name : '');
  return created(await service.createNamespace(sent, write(call)));
}

async function answerNamespace(call: Call, name: string): Promise<Answer> {
  const { service, request, query } = call;
  const place = { kind: NAMESPACE, namespace: '', name };
  if (requireMethod(call, 'GET', 'DELETE') === 'GET') return one(call, await service.get(place));
  requireWriter(call, name);
  const options = readDelete(query, await readBody(request, call.maxBodyBytes));
  return deleted(
    NAMESPACE,
    await service.deleteNamespace(name, { ...options, ...write(call), dryRun: options.dryRun === true }),
  );
}

async function answerApply(call: Call, namespace: string): Promise<Answer> {
  requireMethod(call, 'POST');
  requireWriter(call, namespace);
  const { applied, warnings } = await call.service.apply(namespace, readJson(await body(call)), write(call));
  return ok({ applied: applied as unknown as JsonObject[], errors: [] }, warnings);
}

async function answerCreate(call: Call, kind: Kind, namespace: string): Promise<Answer> {
  if (kind.kind === 'Execution') requireRunner(call, namespace);
  else requireWriter(call, namespace);
  return created(await call.service.create({ kind, namespace }, readJson(await body(call)), write(call)));
}

/** What a selector finds; without one, all of the kind in the namespace. */
async function answerDeleteAll(call: Call, kind: Kind, namespace: string): Promise<Answer> {
  const { service, request, query } = call;
  requireWriter(call, namespace);
  const options = readDelete(query, await readBody(request, call.maxBodyBytes));
  const filter = readFilter(query, namespace);
  const items = await service.deleteAll({ kind, namespace, filter }, { ...write(call), ...options });
  return ok({ apiVersion: API_VERSION, kind: `${kind.kind}List`, metadata: {}, items: items.map(toServed) });
}

async function answerObject(call: Call, place: Place): Promise<Answer> {
  const { service, request, query } = call;
  const method = requireMethod(call, 'GET', 'PUT', 'PATCH', 'DELETE');
  if (method === 'GET') return one(call, await service.get(place));
  requireWriter(call, place.namespace);
  if (method === 'PUT') return written(await service.replace(place, readJson(await body(call)), write(call)));
  if (method === 'PATCH') return answerPatch(call, place, false);
  const options = readDelete(query, await readBody(request, call.maxBodyBytes));
  return deleted(place.kind, await service.delete(place, { ...write(call), ...options }));
}

async function answerStatus(call: Call, place: Place): Promise<Answer> {
  const { service } = call;
  const method = requireMethod(call, 'GET', 'PUT', 'PATCH');
  if (method === 'GET') return one(call, await service.get(place));
  requireNamespace(call, place.namespace);
  // What is allowed here is the status alone, for which the use case asks.
  if (!mayWriteStatus(call.caller, place.kind.kind)) {
    const role = place.kind.kind === 'Gate' ? Role.approver : Role.controller;
    throw planFailure('Forbidden', `Expected the role ${role} to write the status of ${place.kind.resource}`);
  }
  if (method === 'PATCH') return answerPatch(call, place, true);
  return written(await service.replaceStatus(place, readJson(await body(call)), write(call)));
}

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

async function answerPatch(call: Call, place: Place, status: boolean): Promise<Answer> {
  const { request, service } = call;
  const type = requireMediaType(request, MERGE, JSON_PATCH);
  const patch = readJson(await readBody(request, call.maxBodyBytes));
  const how = { ...write(call), type: type === MERGE ? 'merge' : 'json', status } as const;
  return written(await service.patch(place, patch, how));
}

async function listOrWatch(call: Call, kind: Kind, namespace: string | undefined): Promise<Answer | undefined> {
  requireMethod(call, 'GET');
  const { service, query, nowMs } = call;
  const filter = readFilter(query, namespace);
  const include = includeOf(query);
  if (isOn(query, 'watch')) {
    const from = readRevision(query);
    const timeout = readWhole(query, 'timeoutSeconds');
    // As Kubernetes has it: "0" is any state that there is.
    await answerLines(toWatch(call, kind, filter, from === '0' ? undefined : from), {
      nowMs,
      include,
      table: wantsTable(call.request),
      bookmarks: isOn(query, 'allowWatchBookmarks'),
      initialEnd: isOn(query, 'sendInitialEvents'),
      ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
    });
    return undefined;
  }
  const asked = readListRevision(query);
  const limit = readWhole(query, 'limit');
  const token = query.get('continue') ?? '';
  const { items, revision, continueToken } = await service.list({
    kind,
    filter,
    ...(limit === undefined || limit === 0 ? {} : { limit }),
    ...(token === '' ? {} : { continueToken: token }),
    ...(asked === undefined ? {} : { asked }),
  });
  const metadata = { resourceVersion: revision, ...(continueToken === undefined ? {} : { continue: continueToken }) };
  if (wantsTable(call.request)) return ok(toTable(items, { kind: kind.kind, nowMs: nowMs(), include, metadata }));
  return ok({ apiVersion: API_VERSION, kind: `${kind.kind}List`, metadata, items: items.map(toServed) });
}

async function answerSse(call: Call, kind: Kind, namespace: string | undefined): Promise<undefined> {
  requireMethod(call, 'GET');
  const { request, query } = call;
  const seen = request.headers['last-event-id'];
  const from = typeof seen === 'string' && seen !== '' ? readVersion(seen) : readRevision(query);
  await answerServerSent(toWatch(call, kind, readFilter(query, namespace), from));
  return undefined;
}

function toWatch(call: Call, kind: Kind, filter: WatchAnswer['filter'], from: string | undefined): WatchAnswer {
  const { service, response, stopping, onUnexpected } = call;
  return { service, kind, filter, response, stopping, onUnexpected, ...(from === undefined ? {} : { from }) };
}

function one({ request, query, nowMs }: Call, object: PlanObject): Answer {
  if (!wantsTable(request)) return ok(toServed(object));
  const { resourceVersion } = object.metadata;
  const metadata: JsonObject = resourceVersion === undefined ? {} : { resourceVersion };
  return ok(toTable([object], { kind: object.kind, nowMs: nowMs(), include: includeOf(query), metadata }));
}

function includeOf(query: URLSearchParams): 'None' | 'Metadata' | 'Object' {
  const word = query.get('includeObject');
  return word === 'None' || word === 'Object' ? word : 'Metadata';
}

const created = ({ object, warnings }: Written): Answer => ({ status: 201, body: toServed(object), warnings });
const written = ({ object, warnings }: Written): Answer => ok(toServed(object), warnings);

/** An object that stays until its finalizers are gone is told as it is. */
function deleted({ resource }: Kind, { action, object, warnings }: Written): Answer {
  if (action !== 'deleted') return ok(toServed(object), warnings);
  const { name, uid } = object.metadata;
  return ok(success({ kind: resource, name, ...(uid === undefined ? {} : { uid }) }), warnings);
}

function write({ query, caller: asking, request }: Call) {
  const caller = actingFor(asking, request.headers[ACTOR_HEADER]);
  return {
    ...readWrite(query),
    caller: {
      actor: caller.actor,
      // As elsewhere: a command of this machine acts for whoever runs it, a token for the one whose it is.
      namesOthers: caller.namesActor === true || isAdmitted(caller, []),
      mayWriteStatus: (kind: string) => mayWriteStatus(caller, kind),
    },
  };
}

function mayWriteStatus(caller: Principal, kind: string): boolean {
  return isAdmitted(caller, [kind === 'Gate' ? Role.approver : Role.controller]);
}

function requireWriter(call: Call, namespace: string): void {
  requireRole(call, namespace, [Role.author]);
}

/** Whoever runs plans need not write them. Whoever writes them could run them anyway: an Execution is an object. */
function requireRunner(call: Call, namespace: string): void {
  requireRole(call, namespace, [Role.operator, Role.author]);
}

function requireRole(call: Call, namespace: string, roles: readonly Role[]): void {
  if (!isAdmitted(call.caller, roles)) {
    const wanted = [...roles, Role.admin].join(' or ');
    throw planFailure('Forbidden', `Expected the role ${wanted}, got ${call.caller.roles.join(', ')}`);
  }
  requireNamespace(call, namespace);
}

function requireNamespace({ caller }: Call, namespace: string): void {
  const { namespaces } = caller;
  if (namespaces === undefined || namespaces.includes(namespace)) return;
  throw planFailure(
    'Forbidden',
    `Expected one of the namespaces ${namespaces.join(', ')}, which this token may change`,
  );
}

function requireMethod<Method extends string>({ request, response }: Call, ...methods: Method[]): Method {
  const found = methods.find((method) => method === request.method);
  if (found !== undefined) return found;
  response.setHeader('allow', methods.join(', '));
  throw planFailure('MethodNotAllowed', `Expected ${methods.join(' or ')}, got ${request.method}`);
}

async function body({ request, maxBodyBytes }: Call): Promise<string> {
  requireMediaType(request, 'application/json');
  return readBody(request, maxBodyBytes);
}

function nothing({ request, parts }: Call): never {
  throw planFailure('NotFound', `Nothing answers ${request.method} ${PLANS_ROOT}/${parts.join('/')}`);
}
