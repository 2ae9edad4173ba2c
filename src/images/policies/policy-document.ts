import { Type, type Static } from '../../platform/documents/typebox';
import { Duration, strict } from '../../platform/documents/schema-types';
import { PLATFORM_PATTERN } from '../platform';
import { IMAGE_POLICY_LIMITS } from '../limits';

const Id = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$',
  description: 'an id of at most 128 letters, digits, dots, dashes and underscores',
});
const Time = Type.String({ description: 'an RFC 3339 time such as 2026-11-26T10:00:00Z' });
const Pattern = Type.String({
  minLength: 1,
  maxLength: IMAGE_POLICY_LIMITS.patternChars,
  description: 'a regular expression of RE2',
});
const Free = Type.Record(Type.String(), Type.Unknown());

/** Which tags of a repository a policy is about; a tag must meet each part that is given. */
export const TagSetSchema = Type.Object(
  {
    allow: Type.Optional(Type.Array(Pattern, { description: 'one must match; every tag where it is not given' })),
    deny: Type.Optional(Type.Array(Pattern, { description: 'none may match' })),
    semver: Type.Optional(Type.String({ minLength: 1, description: 'a SemVer range such as ">=1.29 <2"' })),
    latest: Type.Optional(
      Type.Object(
        {
          count: Type.Integer({ minimum: 1, maximum: 100_000 }),
          by: Type.Optional(
            Type.Union([Type.Literal('semver'), Type.Literal('created')], {
              description: 'semver by default; created costs a read of each config',
            }),
          ),
        },
        strict,
      ),
    ),
    newerThan: Type.Optional(Duration()),
    immutable: Type.Optional(
      Type.Array(Pattern, { description: 'tags that never move: one that the target has is not asked for again' }),
    ),
  },
  strict,
);
export type TagSetDocument = Static<typeof TagSetSchema>;

export const SourceSchema = Type.Object(
  {
    registry: Type.String({ minLength: 1, description: 'a registry of the settings by name, or a host' }),
    repositories: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      minItems: 1,
      description: '* is any text without a slash, ** any text',
    }),
    tags: Type.Optional(
      Type.Union([
        { ...TagSetSchema, description: 'a set of tags' } as typeof TagSetSchema,
        Type.Array(TagSetSchema, { minItems: 1, description: 'sets of tags, one of which must hold' }),
      ]),
    ),
  },
  strict,
);

export const SignatureSchema = Type.Object(
  {
    key: Type.Object(
      { file: Type.String({ minLength: 1, description: "a public key in PEM, relative to the policy's file" }) },
      strict,
    ),
    enforce: Type.Union([Type.Literal('enforce'), Type.Literal('warn'), Type.Literal('audit')], {
      default: 'enforce',
      description: 'an image whose signature is not verified is blocked, replicated with a warning, or only recorded',
    }),
  },
  { ...strict, description: 'a signature that the images of the policy must have' },
);

/** Further attempts at a whole copy, beside those at each request. */
export const RetryPolicySchema = Type.Object(
  {
    max_attempts: Type.Integer({ minimum: 1, maximum: 100, description: 'in all' }),
    /** wait after the first one */
    initial: Duration('1s'),
    factor: Type.Number({ minimum: 1, maximum: 10, default: 2, description: 'of each wait to the one before it' }),
    /** the longest wait */
    max: Duration('1m'),
  },
  strict,
);
export type RetryPolicy = Static<typeof RetryPolicySchema>;

const Parameters = Type.Optional(Free);

export const ReplicateSchema = Type.Object(
  {
    type: Type.Literal('replicate'),
    target_registry: Type.String({ minLength: 1, description: 'a registry of the settings by name, or a host' }),
    target_repo: Type.String({ minLength: 1, default: '{repository}', description: 'a template for its name' }),
    target_tag: Type.Optional(Type.String({ minLength: 1, description: "a template; the source's tag by default" })),
    backup_tag: Type.Optional(
      Type.String({ minLength: 1, description: 'a template; keeps what the tag named before' }),
    ),
    no_overwrite: Type.Optional(Type.Boolean({ description: 'a tag that the target has stays as it is' })),
    platforms: Type.Optional(
      Type.Array(
        Type.String({
          pattern: PLATFORM_PATTERN,
          description: 'a platform such as linux/arm64/v8',
        }),
        { minItems: 1, description: 'only these of an index, under a digest of its own' },
      ),
    ),
    incomplete: Type.Optional(Type.Union([Type.Literal('refuse'), Type.Literal('copy')])),
    prune: Type.Optional(
      Type.Union([Type.Literal('none'), Type.Literal('dry-run'), Type.Literal('mirror')], {
        description: 'tags of the targets that no image of the sources goes to: kept, listed, or deleted',
      }),
    ),
    maxDeletes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: IMAGE_POLICY_LIMITS.deletes,
        description: 'with prune: if one sync would delete more tags, it deletes none; 10 by default',
      }),
    ),
    retry_policy: Type.Optional(RetryPolicySchema),
    parameters: Parameters,
  },
  strict,
);

export const BlockSchema = Type.Object(
  {
    type: Type.Literal('block'),
    parameters: Type.Optional(Type.Object({ reason: Type.Optional(Type.String({ minLength: 1 })) }, strict)),
  },
  strict,
);

export const NotifySchema = Type.Object({ type: Type.Literal('notify'), parameters: Parameters }, strict);

export const ActionSchema = Type.Union([ReplicateSchema, BlockSchema, NotifySchema], {
  discriminator: { propertyName: 'type' },
});
export type ImageAction = Static<typeof ActionSchema>;
export type ReplicateAction = Static<typeof ReplicateSchema>;

const Hooks = Type.Optional(
  Type.Array(
    Type.Object(
      {
        url: Type.String({
          minLength: 1,
          description: 'an http or https address, a reference such as secret:HOOK, or an encrypted value',
        }),
        headers: Type.Optional(
          Type.Record(Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }), Type.String(), {
            ...strict,
            description: 'a value may be a reference such as secret:TOKEN, or encrypted',
          }),
        ),
        timeout: Duration('10s'),
      },
      strict,
    ),
    { maxItems: 10 },
  ),
);

/** Webhooks around the copies of a policy. */
export const HooksSchema = Type.Object(
  { before: Hooks, after: Hooks, unchanged: Hooks },
  { ...strict, description: 'webhooks before and after a copy, and where the target has the image already' },
);

/** A policy as it is written. Its conditions are checked by `readConditions`: they hold one another. */
export const ImagePolicySchema = Type.Object(
  {
    id: Id,
    name: Type.String({ minLength: 1, maxLength: 255 }),
    description: Type.Optional(Type.String()),
    enabled: Type.Boolean({ default: true }),
    priority: Type.Integer({
      default: 0,
      description: 'the higher one comes first; block wins whatever the priorities',
    }),
    source: Type.Optional(SourceSchema),
    schedule: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'when the policy is synced by itself: a cron line such as */15 * * * *, in UTC',
      }),
    ),
    signature: Type.Optional(SignatureSchema),
    hooks: Type.Optional(HooksSchema),
    conditions: Type.Optional(Type.Array(Type.Unknown(), { description: 'conditions, joined by their logical_op' })),
    actions: Type.Array(ActionSchema, { minItems: 1, maxItems: IMAGE_POLICY_LIMITS.actions }),
    metadata: Type.Optional(Free),
    created_at: Type.Optional(Time),
    updated_at: Type.Optional(Time),
  },
  strict,
);
export type ImagePolicyDocument = Static<typeof ImagePolicySchema>;

/** A file may hold one policy, a list, or this. */
export const ImagePoliciesSchema = Type.Object({ policies: Type.Array(Type.Unknown()) }, strict);
