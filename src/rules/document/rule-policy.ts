import { Type, type Static } from '../../platform/documents/typebox';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { Duration, strict } from '../../platform/documents/schema-types';
import type { Condition } from '../conditions/condition';

/** A value that is filled in when a policy is created; `{ "parameter": NAME }` stands where it goes. */
export const ParameterSchema = Type.Object(
  {
    type: Type.Union([
      Type.Literal('string'),
      Type.Literal('number'),
      Type.Literal('integer'),
      Type.Literal('boolean'),
      Type.Literal('array'),
    ]),
    description: Type.Optional(Type.String()),
    default: Type.Optional(Type.Unknown()),
    enum: Type.Optional(Type.Array(Type.Unknown(), { minItems: 1 })),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
  },
  strict,
);
export type Parameter = Static<typeof ParameterSchema>;

const Names = Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { uniqueItems: true });

/** When a policy runs by itself: at an interval, or by a cron line in a time zone. */
export const TriggerSchema = Type.Union([
  Type.Object({ every: Duration() }, strict),
  Type.Object(
    {
      cron: Type.String({ minLength: 1, maxLength: 256, description: 'five fields, such as */15 6-20 * * mon-fri' }),
      timeZone: Type.Optional(Type.String({ minLength: 1, description: 'such as Europe/Berlin; UTC by default' })),
    },
    strict,
  ),
]);
export type Trigger = Static<typeof TriggerSchema>;

/** Which subjects and operations a policy is for; everything where it says nothing. */
export const ScopeSchema = Type.Object(
  {
    operation: Type.Optional(Type.String({ minLength: 1 })),
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  strict,
);
export type Scope = Static<typeof ScopeSchema>;

const Time = Type.String({ description: 'an RFC 3339 time such as 2026-11-26T10:00:00Z' });

/** A policy as it is written: conditions and actions may hold parameters and includes, and are checked when these are filled in. */
export const PolicyDocumentSchema = Type.Object(
  {
    version: Type.Optional(
      Type.String({ minLength: 1, maxLength: 20, description: "the author's label, such as 1.0" }),
    ),
    name: Type.String({ minLength: 1, maxLength: 255 }),
    description: Type.Optional(Type.String()),
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
    priority: Type.Optional(Type.Integer({ description: 'the higher one comes first' })),
    enabled: Type.Optional(Type.Boolean()),
    template: Type.Optional(Type.Boolean({ description: 'only extended by others, never evaluated' })),
    extends: Type.Optional(Type.String({ minLength: 1 })),
    arguments: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    parameters: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), ParameterSchema, strict),
    ),
    scope: Type.Optional(ScopeSchema),
    dependsOn: Type.Optional(Names),
    conditions: Type.Optional(Type.Object({}, { description: 'a condition' })),
    actions: Type.Optional(
      Type.Union([
        Type.Object({}, { description: 'an action' }),
        Type.Array(Type.Object({}), { description: 'a list of actions' }),
      ]),
    ),
    effectiveFrom: Type.Optional(Time),
    effectiveUntil: Type.Optional(Time),
    trigger: Type.Optional(TriggerSchema),
  },
  strict,
);
export type PolicyDocument = Omit<Static<typeof PolicyDocumentSchema>, 'conditions' | 'actions'> & {
  conditions?: JsonObject;
  actions?: JsonObject | JsonObject[];
};

/** Named conditions that policies include by `{ "include": NAME }`, and the cases that metrics can have. */
export const FragmentsDocumentSchema = Type.Object(
  {
    fragments: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.Object({}, { description: 'a condition' })),
    ),
    enumerations: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.Array(Type.Unknown(), { minItems: 1, maxItems: 1_000 }), {
        description: 'by metric all values that it can have: lint tells of those that no policy covers',
      }),
    ),
  },
  strict,
);

/** By metric, all values that it can have. */
export type Enumerations = Readonly<Record<string, readonly JsonValue[]>>;

/** One action of a policy: its name, one of those that the policy's type has, and its settings. */
export interface RuleAction {
  name: string;
  settings: JsonObject;
}

/** A policy with everything that it extends and includes put in, ready to be evaluated. */
export interface RulePolicy {
  name: string;
  version: string;
  description?: string;
  type: string;
  /** the higher one comes first; then the name decides */
  priority: number;
  enabled: boolean;
  scope: Scope;
  dependsOn: readonly string[];
  conditions: Condition;
  /** in the order in which a list gives them; one where an object stands */
  actions: readonly RuleAction[];
  /** epoch milliseconds: before it the policy only shows what it would do */
  effectiveFromMs?: number;
  /** epoch milliseconds: from then on likewise */
  effectiveUntilMs?: number;
  trigger?: Trigger;
}

/** The action that a document writes as `{ NAME: SETTINGS }`. */
export function toAction(document: JsonValue): RuleAction {
  const [[name, settings] = ['', {}]] = Object.entries(document as JsonObject);
  return { name, settings: settings as JsonObject };
}
