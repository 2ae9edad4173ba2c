import { create, createFileRegistry, toBinary } from '@bufbuild/protobuf';
import type { DescFile, DescService, FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter } from '@connectrpc/connect';
import { ServerReflection } from '../../proto/grpc/reflection/v1/reflection_pb';
import { ServerReflection as ServerReflectionAlpha } from '../../proto/grpc/reflection/v1alpha/reflection_pb';

interface ReflectionRequest {
  messageRequest: { case?: string; value?: unknown };
}

/**
 * `grpc.reflection.v1` and `v1alpha`: clients such as grpcurl learn the services and their messages from the server. Both
 * say the same under two names; older clients know the second one only.
 *
 * @param services those that are told of, these two not among them
 */
export function routeReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const all = [...services, ServerReflection, ServerReflectionAlpha];
  // What a file imports comes before it.
  const files = new Set(all.flatMap(({ file }) => withDependencies(file).reverse()));
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [...files].map(({ proto }) => proto) }));
  async function* answers(requests: AsyncIterable<ReflectionRequest>) {
    for await (const originalRequest of requests) {
      yield { originalRequest, validHost: '', messageResponse: answer(registry, all, originalRequest) } as never;
    }
  }
  router.service(ServerReflection, { serverReflectionInfo: answers });
  router.service(ServerReflectionAlpha, { serverReflectionInfo: answers });
}

function answer(registry: FileRegistry, services: readonly DescService[], { messageRequest }: ReflectionRequest) {
  const { case: kind, value } = messageRequest;
  switch (kind) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: { service: services.map(({ typeName }) => ({ name: typeName })) },
      };
    case 'fileByFilename':
      return filesOf(registry.getFile(String(value)), String(value));
    case 'fileContainingSymbol':
      return filesOf(fileOfSymbol(registry, String(value)), String(value));
    case 'allExtensionNumbersOfType': {
      const name = String(value);
      if (registry.getMessage(name) === undefined) return notFound(name);
      const extensions = [...registry].filter(
        (type) => type.kind === 'extension' && type.extendee.typeName === name,
      ) as { number: number }[];
      return {
        case: 'allExtensionNumbersResponse',
        value: { baseTypeName: name, extensionNumber: extensions.map(({ number }) => number) },
      };
    }
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = value as { containingType: string; extensionNumber: number };
      const message = registry.getMessage(containingType);
      const found = message && registry.getExtensionFor(message, extensionNumber);
      return filesOf(found?.file, `${containingType}.${extensionNumber}`);
    }
    default:
      return failure(Code.InvalidArgument, 'Expected one question in message_request');
  }
}

/** The file that defines a message, an enumeration, an extension, a service, a method or a field. */
function fileOfSymbol(registry: FileRegistry, symbol: string): DescFile | undefined {
  const found = registry.get(symbol);
  if (found !== undefined) return found.file;
  const dot = symbol.lastIndexOf('.');
  const parent = dot < 0 ? undefined : registry.get(symbol.slice(0, dot));
  const name = symbol.slice(dot + 1);
  if (parent?.kind === 'service' && parent.methods.some((method) => method.name === name)) return parent.file;
  if (parent?.kind === 'message' && parent.fields.some((field) => field.name === name)) return parent.file;
  if (parent?.kind === 'enum' && parent.values.some((value) => value.name === name)) return parent.file;
  return undefined;
}

/** A file with all that it imports, so that a client needs to ask once. */
function filesOf(file: DescFile | undefined, asked: string) {
  if (file === undefined) return notFound(asked);
  return {
    case: 'fileDescriptorResponse',
    value: {
      fileDescriptorProto: withDependencies(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)),
    },
  };
}

/** The file first, and none after one that it imports. */
function withDependencies(file: DescFile): DescFile[] {
  const inner = file.dependencies.map(withDependencies);
  return [...new Set([file, ...inner.flat().reverse()].reverse())].reverse();
}

function notFound(asked: string) {
  return failure(Code.NotFound, `Nothing here is called ${JSON.stringify(asked)}`);
}

function failure(errorCode: Code, errorMessage: string) {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
