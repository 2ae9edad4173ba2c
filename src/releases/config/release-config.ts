import { SecretRef, Duration, strict } from '../../platform/documents/schema-types';
import { Type, type Static } from '../../platform/documents/typebox';
import { DEFAULT_DURATIONS } from '../../kernel/duration';
import { LIMITS } from '../../kernel/limits';

// What is swapped together with the policy. Defaults are here, with their units; configs/Release.pkl says the same in PKL,
// and a test compares the two.

const HeaderValue = Type.Union([Type.String(), SecretRef]);
const common = {
  description: Type.Optional(Type.String()),
  /** how long a collected value may be served from the cache; 0s switches the cache off */
  ttl: Duration(DEFAULT_DURATIONS.factTtl),
  maxAge: Duration(DEFAULT_DURATIONS.factMaxAge),
  timeout: Duration(DEFAULT_DURATIONS.factTimeout),
};
/** PEM files, relative to the configuration file */
export const TlsFiles = Type.Object(
  {
    caFile: Type.Optional(Type.String({ minLength: 1 })),
    certFile: Type.Optional(Type.String({ minLength: 1 })),
    keyFile: Type.Optional(Type.String({ minLength: 1 })),
  },
  strict,
);
const request = {
  /** texts may hold the parameters {deployment_id}, {stage}, {attributes.NAME} and {stage_attributes.NAME} */
  headers: Type.Optional(Type.Record(Type.String(), HeaderValue)),
  bearerToken: Type.Optional(SecretRef),
  tls: Type.Optional(TlsFiles),
  /** what an answer without data means; never used for a failure, a time-out or an old fact; absent is error */
  onMissing: Type.Optional(Type.Union([Type.Literal('error'), Type.Object({ use: Type.Unknown() }, strict)])),
};

export const LevelServerProviderConfig = Type.Object(
  { type: Type.Literal('levelServer'), base: Type.String({ minLength: 1 }), ...request, ...common },
  strict,
);
/** `value` and `time` are a JSON Pointer (begins with `/`, or empty for the whole answer) or a JMESPath expression. */
export const HttpProviderConfig = Type.Object(
  {
    type: Type.Literal('http'),
    url: Type.String({ minLength: 1 }),
    value: Type.String(),
    time: Type.Optional(Type.String()),
    /** JSON Schema of the whole answer; needed where `value` or `time` is more than a path */
    answer: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    ...request,
    ...common,
  },
  strict,
);
export const PrometheusProviderConfig = Type.Object(
  {
    type: Type.Literal('prometheus'),
    base: Type.String({ minLength: 1 }),
    query: Type.String({ minLength: 1 }),
    /** a query for the time of the oldest sample in epoch seconds, where it cannot be worked out from `query` */
    timestampQuery: Type.Optional(Type.String({ minLength: 1 })),
    aggregation: Type.Optional(
      Type.Union([
        Type.Literal('min'),
        Type.Literal('max'),
        Type.Literal('sum'),
        Type.Literal('avg'),
        Type.Literal('count'),
      ]),
    ),
    /** takes an answer that its source calls partial, and records the source's warnings; absent is false */
    allowPartial: Type.Optional(Type.Boolean()),
    ...request,
    ...common,
    maxAge: Duration('2m'),
  },
  strict,
);
/** `path` is a JSON Pointer into this configuration, for example `/limits/maxDelta`. */
export const ConfigProviderConfig = Type.Object(
  { type: Type.Literal('config'), path: Type.String(), description: Type.Optional(Type.String()) },
  strict,
);
/** A provider of the user's own: `module` is resolved relative to the configuration file and exports `createProvider`. */
export const ModuleProviderConfig = Type.Object(
  {
    type: Type.Literal('module'),
    module: Type.String({ minLength: 1 }),
    options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    ...common,
  },
  strict,
);
/** An image in a registry. `image` may hold parameters behind its registry. */
export const ImageProviderConfig = Type.Object(
  {
    type: Type.Literal('image'),
    image: Type.String({ minLength: 1 }),
    /** labels and age cost reads of the image's manifests and configs; absent is true */
    metadata: Type.Optional(Type.Boolean()),
    ...common,
  },
  strict,
);
/** A value written down, for trials: observed `age` before the decision, or always now. */
export const StaticProviderConfig = Type.Object(
  {
    type: Type.Literal('static'),
    value: Type.Unknown(),
    age: Type.Optional(Duration()),
    description: Type.Optional(Type.String()),
    maxAge: Duration('45s'),
  },
  strict,
);
export const ProviderConfig = Type.Union([
  LevelServerProviderConfig,
  HttpProviderConfig,
  PrometheusProviderConfig,
  ConfigProviderConfig,
  ModuleProviderConfig,
  ImageProviderConfig,
  StaticProviderConfig,
]);
export type ProviderConfig = Static<typeof ProviderConfig>;
export type LevelServerProviderConfig = Static<typeof LevelServerProviderConfig>;
export type HttpProviderConfig = Static<typeof HttpProviderConfig>;
export type PrometheusProviderConfig = Static<typeof PrometheusProviderConfig>;
export type ConfigProviderConfig = Static<typeof ConfigProviderConfig>;
export type ModuleProviderConfig = Static<typeof ModuleProviderConfig>;
export type ImageProviderConfig = Static<typeof ImageProviderConfig>;
export type StaticProviderConfig = Static<typeof StaticProviderConfig>;

/** How a stage behaves where the deployment's own file does not say. */
export const StageBehaviour = Type.Object(
  {
    onDeny: Type.Union([Type.Literal('fail'), Type.Literal('wait')], { default: 'fail' }),
    recheckEvery: Duration(DEFAULT_DURATIONS.refresh),
    /** the interval doubles with every ten looks that found the same, up to this */
    recheckAtMost: Duration('5m'),
    /** ends a waiting denial as denied; absent waits for ever */
    giveUpAfter: Type.Optional(Duration()),
    autoResume: Type.Boolean({ default: false }),
    /** how long a pause on an error may last; after a last decision the deployment then ends; absent pauses for ever */
    pauseTimeout: Type.Optional(Duration()),
    /** as what a deployment ends that was paused for so long; absent is fail */
    onPauseTimeout: Type.Optional(Type.Union([Type.Literal('abort'), Type.Literal('fail')])),
    mode: Type.Union([Type.Literal('enforce'), Type.Literal('observe')], { default: 'enforce' }),
    /** how long an operator's override holds */
    overrideValidFor: Duration('15m'),
    /** the first reminder of a pause; each further interval doubles up to remindAtMost */
    remindAfter: Duration('15m'),
    remindAtMost: Duration('24h'),
    /** how long nothing must be wrong until the alert of a pause is resolved; at least recheckEvery */
    resolveAfter: Duration('2m'),
  },
  { ...strict, default: {} },
);
export type StageBehaviour = Static<typeof StageBehaviour>;

const ActivityPolicy = (timeout: string, attempts: number) =>
  Type.Object(
    {
      /** start to close, of one attempt */
      timeout: Duration(timeout),
      maximumAttempts: Type.Integer({ minimum: 1, maximum: 1000, default: attempts }),
      initialInterval: Duration('500ms'),
      maximumInterval: Duration('10s'),
    },
    { ...strict, default: {} },
  );

export const ReleaseConfig = Type.Object(
  {
    limits: Type.Record(Type.String(), Type.Unknown(), { default: { maxDelta: 500, maxPending: 2000 } }),
    /** one provider a fact, by fact id */
    facts: Type.Record(Type.String(), ProviderConfig, { default: {} }),
    /** anything else that the policy may read as `data.config.parameters` */
    parameters: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
    /** how far a fact's time may lie in the future */
    allowedClockSkew: Duration('2s'),
    circuitBreaker: Type.Object(
      {
        /** this many failures in a row open it */
        failures: Type.Integer({ minimum: 1, maximum: 1000, default: 5 }),
        /** after this long one request is let through */
        halfOpenAfter: Duration('10s'),
      },
      { ...strict, default: {} },
    ),
    /** how big facts may be, as JSON */
    sizes: Type.Object(
      {
        /** of one fact's value */
        factBytes: Type.Integer({ minimum: 1024, maximum: 16 * LIMITS.factBytes, default: LIMITS.factBytes }),
        /** of all facts of one decision */
        snapshotBytes: Type.Integer({ minimum: 1024, maximum: 16 * LIMITS.factBytes, default: LIMITS.snapshotBytes }),
      },
      { ...strict, default: {} },
    ),
    stages: StageBehaviour,
    activities: Type.Object(
      {
        collectFacts: ActivityPolicy('30s', 3),
        evaluatePolicy: ActivityPolicy('3s', 2),
        recordDecision: ActivityPolicy('10s', 3),
        action: ActivityPolicy('30s', 5),
        alert: ActivityPolicy('30s', 10),
      },
      { ...strict, default: {} },
    ),
    evaluation: Type.Object(
      {
        deadline: Duration('1s'),
        memoryMiB: Type.Integer({ minimum: 8, maximum: 2048, default: 64 }),
        /** whether an allow needs the compiled module to agree; `required` makes one that it cannot judge an error */
        secondOpinion: Type.Union([Type.Literal('required'), Type.Literal('when-possible'), Type.Literal('off')], {
          default: 'when-possible',
        }),
      },
      { ...strict, default: {} },
    ),
  },
  strict,
);
export type ReleaseConfig = Static<typeof ReleaseConfig>;
