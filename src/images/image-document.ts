import { Type } from '../platform/documents/typebox';
import type { JsonValue } from '../kernel/json';
import { parseTime } from '../kernel/time';
import { faultsToError } from '../kernel/failures';
import { strict } from '../platform/documents/schema-types';
import { faultAt, validate, type DocumentPlace } from '../platform/documents/validate';
import type { ImageMetadata, Values } from './image-metadata';
import { isDigest, isRegistryHost, isRepositoryName, isTag } from './image-reference';

const Texts = Type.Record(Type.String(), Type.String());
const TextOrList = Type.Union([Type.String(), Type.Array(Type.String())]);

/** An image as a document describes it. A missing field is unknown: an image without labels has `labels: {}`. */
const ImageSchema = Type.Object(
  {
    registry: Type.String(),
    repository: Type.String(),
    tag: Type.Optional(Type.String()),
    digest: Type.Optional(Type.String()),
    labels: Type.Optional(Texts),
    annotations: Type.Optional(Texts),
    size: Type.Optional(Type.Integer({ minimum: 0, description: 'bytes of config and layers' })),
    created_at: Type.Optional(Type.String()),
    architecture: Type.Optional(TextOrList),
    os: Type.Optional(TextOrList),
    has_signature: Type.Optional(Type.Boolean()),
  },
  strict,
);

interface ImageDocument {
  registry: string;
  repository: string;
  tag?: string;
  digest?: string;
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  size?: number;
  created_at?: string;
  architecture?: string | readonly string[];
  os?: string | readonly string[];
  has_signature?: boolean;
}

/** @throws GateError ConfigInvalid with every fault */
export function readImageDocument(document: JsonValue, where: DocumentPlace): ImageMetadata {
  const read = validate<ImageDocument>(ImageSchema, document, where);
  const { registry, repository, tag, digest, labels, annotations, size, has_signature: hasSignature } = read;
  const createdAtMs = parseTime(read.created_at);
  const checks: [string, boolean, string][] = [
    ['/registry', isRegistryHost(registry), "a registry's host"],
    ['/repository', isRepositoryName(repository), 'a repository in lower case such as team/app'],
    ['/tag', tag === undefined || isTag(tag), 'a tag'],
    ['/digest', digest === undefined || isDigest(digest), 'a digest such as sha256:…'],
    ['/created_at', read.created_at === undefined || createdAtMs !== undefined, 'an RFC 3339 time'],
  ];
  const faults = checks.filter(([, isGood]) => !isGood);
  if (faults.length > 0)
    throw faultsToError(faults.map(([pointer, , what]) => faultAt(where, pointer, `expected ${what}`)));
  const [architectures, os] = [listOf(read.architecture), listOf(read.os)];
  return {
    registry,
    repository,
    tag: tag ?? null,
    ...(digest === undefined ? {} : { digest }),
    ...(labels === undefined ? {} : { labels: single(labels) }),
    ...(annotations === undefined ? {} : { annotations: single(annotations) }),
    ...(size === undefined ? {} : { size }),
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    ...(architectures === undefined ? {} : { architectures }),
    ...(os === undefined ? {} : { os }),
    ...(hasSignature === undefined ? {} : { hasSignature }),
  };
}

function single(texts: Readonly<Record<string, string>>): Values {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, [text]]));
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value;
}
