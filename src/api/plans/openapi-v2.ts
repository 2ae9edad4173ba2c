import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { KINDS, type Kind } from '../../plans/kinds/kinds';
import { API_VERSION } from '../../plans/object';

const [GROUP, VERSION] = API_VERSION.split('/') as [string, string];

/** What Kubernetes itself answers since Go reads a media type strictly: an `@`, as in what clients accept, is none. */
export const OPENAPI_V2_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

let document: Uint8Array | undefined;

/**
 * The API as `openapi.v2.Document` of gnostic (https://github.com/google/gnostic-models, openapiv2/OpenAPIv2.proto), in which
 * clients of Kubernetes before OpenAPI v3 look up whether a kind is known and whether its PATCH takes `dryRun`. Its schemas admit
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
      for (const kind of KINDS) nested(paths, 2, (path) => pathOf(path, kind));
    });
    nested(file, 9, (definitions) => {
      for (const kind of KINDS) nested(definitions, 1, (definition) => definitionOf(definition, kind));
    });
  }));
}

/** NamedPathItem */
function pathOf(path: BinaryWriter, kind: Kind): void {
  text(path, 1, `/apis/${API_VERSION}/namespaces/{namespace}/${kind.resource}/{name}`);
  nested(path, 2, (item) =>
    nested(item, 8, (patch) => {
      text(patch, 5, `patchNamespaced${kind.kind}`);
      for (const name of ['dryRun', 'fieldValidation']) {
        // ParametersItem, Parameter, NonBodyParameter, QueryParameterSubSchema
        nested(patch, 8, (one) => nested(one, 1, (two) => nested(two, 2, (three) => nested(three, 3, query(name)))));
      }
      nested(patch, 9, (responses) =>
        nested(responses, 1, (response) => {
          text(response, 1, '200');
          nested(response, 2, (value) => nested(value, 1, (ok) => text(ok, 1, 'OK')));
        }),
      );
      extension(patch, 13, 'x-kubernetes-action', 'patch\n');
      extension(patch, 13, GVK, `group: ${GROUP}\nkind: ${kind.kind}\nversion: ${VERSION}\n`);
    }),
  );
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
