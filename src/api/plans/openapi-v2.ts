import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { KINDS, type Kind } from '../../plans/kinds/kinds';
import { API_VERSION } from '../../plans/object';
import { ASKED } from './discovery';

const [GROUP, VERSION] = API_VERSION.split('/') as [string, string];

/** What Kubernetes itself answers since Go reads a media type strictly: an `@`, as in what clients accept, is none. */
export const OPENAPI_V2_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

let document: Uint8Array | undefined;

/**
 * The API as `openapi.v2.Document` of gnostic (https://github.com/google/gnostic-models, openapiv2/OpenAPIv2.proto), in which
 * clients of Kubernetes before OpenAPI v3 look up whether a kind is known and whether its PATCH takes `dryRun`. What can be asked
 * of an object is there too, as in v3. Its schemas admit
 * any field: the server itself checks objects, and `/openapi/v3` has the whole schemas.
 */
export function openApiV2(): Uint8Array {
  return (document ??= message((file) => {
    text(file, 1, '2.0');
    nested(file, 2, (info) => {
      text(info, 1, 'PlanSpec');
      text(info, 2, VERSION);
    });
    nested(file, 8, (paths) => {
      for (const kind of KINDS) {
        nested(paths, 2, (path) => pathOf(path, kind));
        for (const asked of ASKED[kind.kind] ?? []) nested(paths, 2, (path) => askedPathOf(path, kind, asked));
      }
    });
    nested(file, 9, (definitions) => {
      for (const kind of KINDS) nested(definitions, 1, (definition) => definitionOf(definition, kind));
    });
  }));
}

const placeOf = ({ resource }: Kind): string => `/apis/${API_VERSION}/namespaces/{namespace}/${resource}/{name}`;

/** NamedPathItem */
function pathOf(path: BinaryWriter, kind: Kind): void {
  text(path, 1, placeOf(kind));
  nested(path, 2, (item) => nested(item, PATCH, operation(kind, 'patch', '', ['dryRun', 'fieldValidation'])));
}

function askedPathOf(path: BinaryWriter, kind: Kind, asked: string): void {
  text(path, 1, `${placeOf(kind)}/${asked}`);
  const of = `${asked[0]!.toUpperCase()}${asked.slice(1)}`;
  nested(path, 2, (item) => nested(item, POST, operation(kind, 'post', of, ['dryRun'])));
}

/** Fields of PathItem */
const POST = 4;
const PATCH = 8;

/** @param of what is asked of the object, as the end of the operation's id; empty for the object itself */
function operation(kind: Kind, action: 'patch' | 'post', of: string, parameters: readonly string[]) {
  return (into: BinaryWriter): void => {
    text(into, 5, `${action === 'post' ? 'create' : action}Namespaced${kind.kind}${of}`);
    for (const name of parameters) {
      // ParametersItem, Parameter, NonBodyParameter, QueryParameterSubSchema
      nested(into, 8, (one) => nested(one, 1, (two) => nested(two, 2, (three) => nested(three, 3, query(name)))));
    }
    nested(into, 9, (responses) =>
      nested(responses, 1, (response) => {
        text(response, 1, '200');
        nested(response, 2, (value) => nested(value, 1, (ok) => text(ok, 1, 'OK')));
      }),
    );
    extension(into, 13, 'x-kubernetes-action', `${action}\n`);
    extension(into, 13, GVK, `group: ${GROUP}\nkind: ${kind.kind}\nversion: ${VERSION}\n`);
  };
}

function query(name: string): (parameter: BinaryWriter) => void {
  return (parameter) => {
    text(parameter, 2, 'query');
    text(parameter, 4, name);
    text(parameter, 6, 'string');
  };
}

/** NamedSchema */
function definitionOf(definition: BinaryWriter, { kind }: Kind): void {
  text(definition, 1, `io.planspec.${VERSION}.${kind}`);
  nested(definition, 2, (schema) => {
    nested(schema, 22, (type) => text(type, 1, 'object'));
    extension(schema, 31, GVK, `- group: ${GROUP}\n  kind: ${kind}\n  version: ${VERSION}\n`);
  });
}

const GVK = 'x-kubernetes-group-version-kind';

/** NamedAny, whose value is YAML */
function extension(within: BinaryWriter, field: number, name: string, yaml: string): void {
  nested(within, field, (named) => {
    text(named, 1, name);
    nested(named, 2, (any) => text(any, 2, yaml));
  });
}

function message(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** Fields of length-delimited type: wire type 2. */
function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, 2).string(value);
}

function nested(writer: BinaryWriter, field: number, write: (writer: BinaryWriter) => void): void {
  writer.tag(field, 2).fork();
  write(writer);
  writer.join();
}
