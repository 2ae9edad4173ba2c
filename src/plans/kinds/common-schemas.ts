import { Type, type TObject, type TProperties } from '../../platform/documents/typebox';
import { API_VERSION } from '../object';
import { GO_DURATION_PATTERN } from './go-duration';

// The schemas take every key that they do not know, as PlanSpec's servers do; `unknownFields` finds such keys.

const DNS_LABEL = '^[a-z]([-a-z0-9]*[a-z0-9])?$';

/** Names of objects and namespaces, ids of nodes. */
export const Label = Type.String({
  pattern: DNS_LABEL,
  maxLength: 63,
  description: 'a lower-case name that begins with a letter and has letters, digits and inner hyphens',
});

/** One of the texts; an `enum` once published. */
export const oneOf = <const T extends readonly string[]>(values: T, description?: string) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...(description === undefined ? {} : { description }) });

export const GoDuration = Type.String({
  pattern: GO_DURATION_PATTERN,
  description: 'a duration such as 500ms, 45s, 1h30m',
});

/** Any JSON object. */
export const Free = Type.Unsafe<Record<string, unknown>>({ type: 'object' });

/** Any JSON value. */
export const Anything = Type.Unsafe<unknown>({});

export const Texts = Type.Array(Type.String());

/** Labels, annotations: text by text. */
export const TextMap = Type.Unsafe<Record<string, string>>({
  type: 'object',
  additionalProperties: { type: 'string' },
});

export const Time = Type.String({ description: 'an RFC 3339 time such as 2026-11-26T10:00:00Z' });

/** A reference; `name` is optional only where PlanSpec says so. */
export const Reference = Type.Object({
  name: Type.String({ minLength: 1 }),
  namespace: Type.Optional(Type.String({ minLength: 1 })),
  uid: Type.Optional(Type.String({ minLength: 1 })),
});

export const LooseReference = Type.Partial(Reference);

export const Metadata = Type.Object({
  name: Label,
  namespace: Label,
  labels: Type.Optional(TextMap),
  annotations: Type.Optional(TextMap),
  resourceVersion: Type.Optional(Type.String({ description: 'the text that the server gave' })),
  finalizers: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { uniqueItems: true })),
  ownerReferences: Type.Optional(
    Type.Array(
      Type.Object({
        apiVersion: Type.String(),
        kind: Type.String(),
        name: Type.String(),
        uid: Type.String(),
        controller: Type.Optional(Type.Boolean()),
        blockOwnerDeletion: Type.Optional(Type.Boolean()),
      }),
    ),
  ),
  // The server's own: whatever a client sends is replaced, so a `null` that a tool wrote is no fault.
  uid: Type.Optional(Anything),
  generation: Type.Optional(Anything),
  creationTimestamp: Type.Optional(Anything),
  deletionTimestamp: Type.Optional(Anything),
  deletionGracePeriodSeconds: Type.Optional(Anything),
  managedFields: Type.Optional(Anything),
  selfLink: Type.Optional(Anything),
  generateName: Type.Optional(Anything),
});

/** A note that travels with an object: content, or a list of addresses. */
export const Context = Type.Array(
  Type.Object(
    {
      name: Type.Optional(Type.String()),
      format: oneOf(['markdown', 'text', 'json', 'uri-list']),
      content: Type.Optional(Anything),
      uris: Type.Optional(Texts),
    },
    {
      allOf: [
        when({ format: { enum: ['uri-list'] } }, { required: ['uris'], properties: { content: false } }),
        when(
          { format: { enum: ['markdown', 'text'] } },
          { required: ['content'], properties: { content: { type: 'string' }, uris: false } },
        ),
        when({ format: { enum: ['json'] } }, { required: ['content'], properties: { uris: false } }),
      ],
    },
  ),
);

export const Conditions = Type.Array(
  Type.Object({
    type: Type.String({ minLength: 1 }),
    status: oneOf(['True', 'False', 'Unknown']),
    reason: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
    lastTransitionTime: Type.Optional(Time),
    observedGeneration: Type.Optional(Type.Integer()),
  }),
);

/** `then` for objects whose keys in `properties` are there and fit. */
export function when(properties: Record<string, object>, then: object): object {
  return { if: { required: Object.keys(properties), properties }, then };
}

/** The schema of a whole object of a kind. */
export function objectSchema<S extends TProperties, T extends TProperties>(
  kind: string,
  description: string,
  spec: TObject<S>,
  status: TObject<T>,
) {
  return Type.Object(
    {
      apiVersion: Type.Literal(API_VERSION),
      kind: Type.Literal(kind),
      metadata: Metadata,
      spec,
      status: Type.Optional(status),
    },
    { title: kind, description },
  );
}
