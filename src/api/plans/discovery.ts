import type { JsonObject } from '../../kernel/json';
import { sha256 } from '../../kernel/digest';
import { KINDS, publishedSchema, type Kind } from '../../plans/kinds/kinds';
import { API_VERSION } from '../../plans/object';
import { NAMESPACE } from '../../plans/service/namespaces';

const [GROUP, VERSION] = API_VERSION.split('/') as [string, string];
const GROUP_VERSION = { groupVersion: API_VERSION, version: VERSION };
const V3 = `/openapi/v3/apis/${API_VERSION}`;

/** The verbs of `kubectl api-resources`: what `plan-routes.ts` answers. */
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** What can be asked of one object, by POST. */
export const ASKED: Readonly<Record<string, readonly string[]>> = { Execution: ['cancel', 'retry'], Goal: ['again'] };

/**
 * The documents by which clients of Kubernetes find out what a server has: versions, groups, resources and their schemas.
 *
 * @returns undefined for a path that is none of theirs
 */
export function discoveryOf(path: string): JsonObject | undefined {
  switch (path) {
    case '/version':
      // Clients compare it with their own: a server of this version knows all that is asked of this one.
      return { major: '1', minor: '30', gitVersion: 'v1.30.0', platform: 'planning-engine' };
    case '/api':
      return { kind: 'APIVersions', versions: [], serverAddressByClientCIDRs: [] };
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [group()] };
    case `/apis/${GROUP}`:
      return { kind: 'APIGroup', apiVersion: 'v1', ...group() };
    case `/apis/${API_VERSION}`:
      return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: API_VERSION, resources: resources() };
    case '/openapi/v3':
      return { paths: { [`apis/${API_VERSION}`]: { serverRelativeURL: `${V3}?hash=${sha256(openApiText())}` } } };
    case V3:
      return openApi();
    default:
      return undefined;
  }
}

/** Whether a path may be one of a discovery document. */
export function isDiscovery(path: string): boolean {
  return ['/version', '/api', '/apis', `/apis/${GROUP}`].includes(path) || path.startsWith('/openapi/');
}

function group(): JsonObject {
  return { name: GROUP, versions: [GROUP_VERSION], preferredVersion: GROUP_VERSION };
}

function resources(): JsonObject[] {
  const namespaces = {
    name: NAMESPACE.resource,
    singularName: NAMESPACE.singular,
    namespaced: false,
    kind: NAMESPACE.kind,
    verbs: ['create', 'delete', 'get', 'list', 'watch'],
    shortNames: [...NAMESPACE.shortNames],
  };
  const kinds = KINDS.flatMap(({ kind, resource, singular, shortNames }) => [
    {
      name: resource,
      singularName: singular,
      namespaced: true,
      kind,
      verbs: VERBS,
      categories: ['all'],
      ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
    },
    { name: `${resource}/status`, singularName: '', namespaced: true, kind, verbs: ['get', 'patch', 'update'] },
    ...(ASKED[kind] ?? []).map((name) => ({
      ...{ name: `${resource}/${name}`, singularName: '', namespaced: true, kind, verbs: ['create'] },
    })),
  ]);
  return [namespaces, ...kinds];
}

let text: string | undefined;

/** It is the same for as long as the program is. */
function openApiText(): string {
  return (text ??= JSON.stringify(openApi()));
}

function openApi(): JsonObject {
  const schemas = Object.fromEntries(KINDS.map((kind) => [schemaName(kind), schemaOf(kind)]));
  const paths = Object.assign({}, ...KINDS.map(pathsOf)) as JsonObject;
  return { openapi: '3.0.0', info: { title: 'PlanSpec', version: VERSION }, paths, components: { schemas } };
}

const schemaName = ({ kind }: Kind): string => `io.planspec.${VERSION}.${kind}`;
const identityOf = ({ kind }: Kind): JsonObject => ({ group: GROUP, version: VERSION, kind });

function schemaOf(kind: Kind): JsonObject {
  const { $schema: _dialect, ...schema } = publishedSchema(kind);
  return { ...schema, 'x-kubernetes-group-version-kind': [identityOf(kind)] };
}

function pathsOf(kind: Kind): JsonObject {
  const all = `/apis/${API_VERSION}/namespaces/{namespace}/${kind.resource}`;
  const content = { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(kind)}` } } };
  const operation = (action: string, ...parameters: string[]): JsonObject => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': identityOf(kind),
    parameters: parameters.map((name) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } })),
    responses: { 200: { description: 'OK', content } },
  });
  const inPath = (name: string): JsonObject => ({ name, in: 'path', required: true, schema: { type: 'string' } });
  return {
    [all]: {
      parameters: [inPath('namespace')],
      get: operation('list', 'labelSelector', 'fieldSelector', 'limit', 'continue', 'watch', 'resourceVersion'),
      post: operation('post', 'dryRun', 'fieldValidation'),
    },
    [`${all}/{name}`]: {
      parameters: [inPath('namespace'), inPath('name')],
      get: operation('get'),
      put: operation('put', 'dryRun', 'fieldValidation'),
      patch: operation('patch', 'dryRun', 'fieldValidation'),
      delete: operation('delete', 'dryRun'),
    },
    ...Object.fromEntries(
      (ASKED[kind.kind] ?? []).map((asked) => [
        `${all}/{name}/${asked}`,
        { parameters: [inPath('namespace'), inPath('name')], post: operation('post', 'dryRun') },
      ]),
    ),
  };
}
