import { Type, type Static, type TSchema } from '../../platform/documents/typebox';
import { Duration } from '../../platform/documents/schema-types';
import { NAME_PATTERN } from '../../kernel/names';
import type { ActionSpec } from '../actions/action';

// The file that `gate deploy -f` reads, and the input of the deployment workflow.

const strict = { additionalProperties: false } as const;
const Attributes = Type.Record(Type.String(), Type.Unknown());
const SecretUse = Type.Object({ secret: Type.String({ pattern: NAME_PATTERN }) }, strict);
const requestFields = {
  method: Type.Union((['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).map((method) => Type.Literal(method))),
  url: Type.String({ minLength: 1 }),
  headers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), SecretUse]))),
  body: Type.Optional(Type.Unknown()),
  expect: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
} satisfies Record<string, TSchema>;

/** Room for a line, and for a page. */
const noticeFields = {
  summary: Type.String({ minLength: 1, maxLength: 1_000 }),
  description: Type.Optional(Type.String({ maxLength: 10_000 })),
} satisfies Record<string, TSchema>;

export const ActionSchema = Type.Union([
  Type.Object({ type: Type.Literal('none') }, strict),
  Type.Object(
    {
      type: Type.Literal('http'),
      ...requestFields,
      idempotencyKeyHeader: Type.Optional(Type.String({ minLength: 1 })),
      timeout: Type.Optional(Duration()),
      retryOnTimeout: Type.Optional(Type.Boolean()),
      compensation: Type.Optional(Type.Object(requestFields, strict)),
    },
    strict,
  ),
  Type.Object(
    {
      type: Type.Literal('module'),
      name: Type.String({ pattern: NAME_PATTERN }),
      options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      compensate: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
  Type.Object(
    {
      type: Type.Literal('notify'),
      ...noticeFields,
      receivers: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, uniqueItems: true })),
      severity: Type.Optional(Type.Union([Type.Literal('critical'), Type.Literal('warning'), Type.Literal('info')])),
      compensation: Type.Optional(Type.Object(noticeFields, strict)),
    },
    strict,
  ),
  Type.Object(
    {
      type: Type.Literal('replicate-image'),
      source: Type.String({ minLength: 1 }),
      target: Type.String({ minLength: 1 }),
      backupTag: Type.Optional(Type.String({ minLength: 1 })),
      noOverwrite: Type.Optional(Type.Boolean()),
      platforms: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 100 })),
      incomplete: Type.Optional(Type.Union([Type.Literal('refuse'), Type.Literal('copy')])),
      timeout: Type.Optional(Duration()),
      compensate: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
  Type.Object(
    {
      type: Type.Literal('shard'),
      operation: Type.Union((['add', 'remove', 'move'] as const).map((operation) => Type.Literal(operation))),
      shard: Type.String({ minLength: 1 }),
      from: Type.Optional(Type.String({ minLength: 1 })),
      to: Type.Optional(Type.String({ minLength: 1 })),
      within: Type.Optional(Duration()),
      compensate: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
]);

export const StageSchema = Type.Object(
  {
    name: Type.String({ pattern: NAME_PATTERN }),
    attributes: Type.Optional(Attributes),
    action: Type.Optional(ActionSchema),
    onDeny: Type.Optional(Type.Union([Type.Literal('fail'), Type.Literal('wait')])),
    recheckEvery: Type.Optional(Duration()),
    recheckAtMost: Type.Optional(Duration()),
    giveUpAfter: Type.Optional(Duration()),
    autoResume: Type.Optional(Type.Boolean()),
    pauseTimeout: Type.Optional(Duration()),
    onPauseTimeout: Type.Optional(Type.Union([Type.Literal('abort'), Type.Literal('fail')])),
    mode: Type.Optional(Type.Union([Type.Literal('enforce'), Type.Literal('observe')])),
    overrideValidFor: Type.Optional(Duration()),
  },
  strict,
);
export const DeploymentSchema = Type.Object(
  {
    id: Type.String({ pattern: NAME_PATTERN }),
    attributes: Type.Optional(Attributes),
    stages: Type.Array(StageSchema, { minItems: 1, maxItems: 1000 }),
  },
  strict,
);

/** One stage of a deployment, as its file has it; what is absent follows the release's defaults. Durations are text: `45s`. */
export interface StageSpec {
  /** `[A-Za-z0-9][A-Za-z0-9._-]{0,127}` */
  name: string;
  /** for policy and templates, beside the deployment's own */
  attributes?: Record<string, unknown>;
  /** what the stage starts once it is allowed; @default nothing */
  action?: ActionSpec;
  /** a denial ends the deployment, or is asked again until `giveUpAfter` */
  onDeny?: 'fail' | 'wait';
  /** how often a denial or a pause is asked again */
  recheckEvery?: string;
  /** the interval doubles with every ten looks that found the same, up to this */
  recheckAtMost?: string;
  giveUpAfter?: string;
  /** a pause ends by itself once nothing is wrong any more */
  autoResume?: boolean;
  /** a pause on an error lasts at most so long: the deployment then ends, as `onPauseTimeout` says */
  pauseTimeout?: string;
  onPauseTimeout?: 'abort' | 'fail';
  /** `observe` records what it would have done and lets the stage pass */
  mode?: 'enforce' | 'observe';
  /** how long an operator's override counts */
  overrideValidFor?: string;
}

/** A deployment as its file has it: an id, attributes for policy and templates, and its stages in order. */
export interface DeploymentSpec {
  /** `[A-Za-z0-9][A-Za-z0-9._-]{0,127}` */
  id: string;
  attributes?: Record<string, unknown>;
  /** 1 to 1,000 */
  stages: StageSpec[];
}

type OfSchema = Omit<Static<typeof DeploymentSchema>, 'stages'> & {
  stages: Omit<Static<typeof StageSchema>, 'action'>[];
};
type OfSpec = Omit<DeploymentSpec, 'stages'> & { stages: Omit<StageSpec, 'action'>[] };
/** Does not compile once the schema and the interfaces differ. */
true satisfies OfSchema extends OfSpec ? (OfSpec extends OfSchema ? true : false) : false;
