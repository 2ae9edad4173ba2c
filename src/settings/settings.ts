import { S3Access, awsPlace } from '../platform/aws/access';
import { Type, type Static } from '../platform/documents/typebox';
import { Duration, EncryptedValue, SettingsSecret, strict } from '../platform/documents/schema-types';
import { ALERT_EVENTS } from '../kernel/alert-event';
import { DEFAULT_DURATIONS } from '../kernel/duration';
import { NAME_PATTERN } from '../kernel/names';

// What one worker is told: where things are. Never swapped while it runs; configs/Settings.pkl says the same in PKL and a
// test compares the two.

/** Who must have signed manifests and policy bundles: a key as `opa build --verification-key` takes it. */
export const VerificationKey = Type.Object(
  {
    /** PEM of a public key, or the shared secret of an HMAC */
    key: SettingsSecret,
    keyID: Type.String({ minLength: 1, default: 'default' }),
    algorithm: Type.Union(
      (
        [
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'HS256',
          'HS384',
          'HS512',
        ] as const
      ).map((name) => Type.Literal(name)),
      { default: 'RS256' },
    ),
    /** when set, the signature's `scope` must be the same */
    scope: Type.Optional(Type.String({ minLength: 1 })),
  },
  strict,
);
export type VerificationKey = Static<typeof VerificationKey>;

/** A key of Temporal's payload encryption: 32 bytes, in base64 or hex. */
export const EncryptionKey = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 64 }), key: SettingsSecret },
  strict,
);
export type EncryptionKey = Static<typeof EncryptionKey>;

/** Temporal's worker deployment that a worker belongs to, and its build; Temporal refuses other names. */
export const WorkerDeployment = Type.Object(
  {
    name: Type.String({
      pattern: '^(?!__)[^.:]{1,200}$',
      description: 'a name of 1 to 200 characters without ".", ":" or "__" at its start',
    }),
    /** @default the package's version and a digest of its workflow code */
    buildId: Type.Optional(
      Type.String({
        pattern: '^(?!__).{1,200}$',
        description: 'a build id of 1 to 200 characters without "__" at its start',
      }),
    ),
  },
  strict,
);
export type WorkerDeployment = Static<typeof WorkerDeployment>;

/** Modules of the user's own by their names: a path relative to the settings file, or a package found from there. */
const OwnModules = Type.Record(
  Type.String({ pattern: NAME_PATTERN }),
  Type.Object(
    {
      module: Type.String({ minLength: 1 }),
      options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    },
    strict,
  ),
  { ...strict, default: {} },
);

/** Files for servers whose certificate a private authority signed, or that want one of their client (PEM). */
const tls = Type.Optional(
  Type.Object(
    {
      caFile: Type.Optional(Type.String({ minLength: 1 })),
      certFile: Type.Optional(Type.String({ minLength: 1 })),
      keyFile: Type.Optional(Type.String({ minLength: 1 })),
    },
    strict,
  ),
);

/** A server that takes decision logs as OPA uploads them: gzipped JSON arrays of events by POST. */
export const DecisionLogUpload = Type.Object(
  {
    /** the whole URL, such as `https://host/logs` */
    url: Type.String({ minLength: 1 }),
    bearerToken: Type.Optional(SettingsSecret),
    /** of one upload, compressed; as OPA's `upload_size_limit_bytes` */
    maxUploadBytes: Type.Integer({ minimum: 1024, maximum: 64 * 1024 * 1024, default: 32768 }),
    timeout: Duration('10s'),
    tls,
    /** where events wait on disk; @default $XDG_DATA_HOME/planning-engine/decision-logs */
    folder: Type.Optional(Type.String({ minLength: 1 })),
    /** of waiting events on disk; when it is full nothing more is recorded until the server takes some */
    maxWaitingBytes: Type.Integer({ minimum: 1024, default: 256 * 1024 * 1024 }),
  },
  strict,
);
export type DecisionLogUpload = Static<typeof DecisionLogUpload>;

const names = Type.Array(Type.String({ minLength: 1 }), { default: [] });

/** What a release's configuration may name: whoever may write a manifest must not run code, or read secrets, on a worker. */
const Allow = Type.Object(
  {
    /** paths relative to the settings file, or packages found from there */
    modules: names,
    /** environment variables */
    env: names,
    /** files of secrets, keys and certificates, relative to the settings file */
    files: names,
  },
  { ...strict, default: {} },
);

/** The hosts that a secret of an action may be sent to: `host` or `host:port`, without a port the scheme's own. */
const hosts = Type.Array(
  Type.String({
    pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s/?#@:\\[\\]]+)(:[0-9]{1,5})?$',
    description: 'a host or host:port',
  }),
  { minItems: 1 },
);

/** What deployment files may use, by name: who may start a deployment must not choose what a worker sends, or where. */
const Actions = Type.Object(
  {
    secrets: Type.Record(
      Type.String({ pattern: NAME_PATTERN }),
      Type.Union([
        Type.Object({ env: Type.String({ minLength: 1 }), hosts }, strict),
        Type.Object({ file: Type.String({ minLength: 1 }), hosts }, strict),
        Type.Object({ ...EncryptedValue.properties, hosts }, strict),
      ]),
      { ...strict, default: {} },
    ),
    /** each exports `createAction(name, options)` */
    modules: OwnModules,
    tls,
  },
  { ...strict, default: {} },
);

export const AlertReceiverConfig = Type.Object(
  {
    /** `alertmanager` is the body that Alertmanager posts to webhooks; `alertmanager-api` is its own `/api/v2/alerts` */
    format: Type.Union([Type.Literal('alertmanager'), Type.Literal('alertmanager-api'), Type.Literal('slack')]),
    url: Type.Union([Type.String({ minLength: 1 }), SettingsSecret]),
    timeout: Duration('5s'),
    tls,
  },
  strict,
);
export type AlertReceiverConfig = Static<typeof AlertReceiverConfig>;

/** The server of rule policies: where it listens, and how much one client can have of it. */
const Server = Type.Object(
  {
    host: Type.String({ default: '127.0.0.1' }),
    /** one port for gRPC, gRPC-web and HTTP with JSON; 0 takes a free one */
    port: Type.Integer({ minimum: 0, maximum: 65535, default: 8080 }),
    /** PEM files relative to the settings file. Tokens beyond loopback need them */
    tls: Type.Optional(
      Type.Object(
        {
          certFile: Type.String({ minLength: 1 }),
          keyFile: Type.String({ minLength: 1 }),
          /** authorities; a client must then show a certificate that one of them signed */
          caFile: Type.Optional(Type.String({ minLength: 1 })),
        },
        strict,
      ),
    ),
    /** lets probes ask for health without a token beyond loopback */
    openProbes: Type.Boolean({ default: false }),
    /** of one request, decompressed */
    maxRequestBytes: Type.Integer({ minimum: 1024, maximum: 64 * 1024 * 1024, default: 4 * 1024 * 1024 }),
    quotas: Type.Object(
      {
        /** of one token, on average */
        requestsPerSecond: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1_000 }),
        /** that are stored and not deleted */
        policies: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10_000 }),
        /** of one document as JSON */
        documentBytes: Type.Integer({ minimum: 1024, maximum: 16 * 1024 * 1024, default: 256 * 1024 }),
      },
      { ...strict, default: {} },
    ),
  },
  { ...strict, default: {} },
);

/** Goals and plans, as the server keeps them. */
const Plans = Type.Object(
  {
    /** newest events from which a watch can resume; older ones are deleted, once a minute */
    keepEvents: Type.Integer({ minimum: 1_000, maximum: 10_000_000, default: 100_000 }),
    /** of the objects in these events as JSON: fewer are kept where objects are large */
    keepEventBytes: Type.Integer({ minimum: 64 * 1024 * 1024, maximum: 1024 ** 4, default: 512 * 1024 * 1024 }),
    /** where work outside reaches this server to call back, such as `https://gate.example`; absent: where it listens */
    callbackUrl: Type.Optional(
      Type.String({
        pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$',
        description: 'an http or https address without a user, a query and a fragment',
      }),
    ),
  },
  { ...strict, default: {} },
);

/** A token of the server: who has it, and what that one may do. */
export const AccessToken = Type.Object(
  {
    hash: Type.String({
      pattern: '^sha256:[0-9a-f]{64}$',
      description: '"sha256:" and the SHA-256 of the token in hex',
    }),
    /** in the audit log, for all that is done with this token */
    actor: Type.String({ minLength: 1, maxLength: 1000 }),
    roles: Type.Array(
      Type.Union(
        (['viewer', 'author', 'operator', 'approver', 'controller', 'admin'] as const).map((role) =>
          Type.Literal(role),
        ),
      ),
      { minItems: 1, uniqueItems: true },
    ),
    /** types of policies that it may change and execute; absent, all */
    policyTypes: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
    /** namespaces of specs that it may change; absent, all. Policies have no namespace */
    namespaces: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
  },
  strict,
);
export type AccessToken = Static<typeof AccessToken>;

/** Who may call the server. Without any of it, whoever reaches a loopback address may do everything. */
const Access = Type.Object(
  {
    tokens: Type.Array(AccessToken, { default: [], maxItems: 10_000 }),
    /** tokens that an identity provider signs (JSON Web Tokens) */
    jwt: Type.Optional(
      Type.Object(
        {
          issuer: Type.String({ minLength: 1 }),
          audience: Type.String({ minLength: 1 }),
          /** where the provider's public keys are */
          jwksUri: Type.String({ pattern: '^https?://', description: 'an HTTP URL' }),
          /** the claim that lists the roles; what it lists beside them is ignored */
          rolesClaim: Type.String({ minLength: 1, default: 'roles' }),
        },
        strict,
      ),
    ),
  },
  { ...strict, default: {} },
);

/** Rule policies: where they come from, and what the server's evaluations may take. */
const Rules = Type.Object(
  {
    /** a file or folder of policies relative to the settings file, which executions use in place of the store */
    policies: Type.Optional(Type.String({ minLength: 1 })),
    evaluation: Type.Object(
      {
        /** of one evaluation from its start; a check of a document or a simulation gets ten times as long */
        deadline: Duration('2s'),
        /** of one thread's heap, in MiB: it holds every policy, and the state of its question */
        memory: Type.Integer({ minimum: 64, maximum: 16_384, default: 256 }),
      },
      { ...strict, default: {} },
    ),
  },
  { ...strict, default: {} },
);

const MeasuredField = {
  /** PromQL, asked as an instant query */
  query: Type.String({ minLength: 1 }),
  /** what gives the times of the samples in epoch seconds, where they cannot be worked out from the query */
  timestampQuery: Type.Optional(Type.String({ minLength: 1 })),
  /** an older sample is an error; absent, `shards.state.maxAge`, and the state is as old as the sample */
  maxAge: Type.Optional(Duration()),
  /** what it means that there is no series: an error, a metric that is unknown, or a value */
  onMissing: Type.Union([Type.Literal('error'), Type.Literal('unknown'), Type.Object({ use: Type.Number() }, strict)], {
    default: 'error',
  }),
};

/** A key without dots: `node.` and the key is a metric. */
const FieldName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,127}$' });

/** Fields of nodes or shards, by name. */
const MeasuredFields = (label: string) =>
  Type.Record(
    FieldName,
    Type.Object(
      {
        ...MeasuredField,
        /** the label of the series whose value is the id */
        label: Type.String({
          pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$',
          description: 'the name of a label such as instance',
          default: label,
        }),
      },
      strict,
    ),
    { ...strict, default: {} },
  );

/** Metrics of the state that a server which speaks Prometheus' HTTP API has, each by a query. */
const StateMetrics = Type.Object(
  {
    /** such as `https://prometheus.internal`; `/api/v1/query` is added to it */
    url: Type.String({ minLength: 1 }),
    headers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), SettingsSecret]))),
    bearerToken: Type.Optional(SettingsSecret),
    /** of all queries together, which are asked side by side */
    timeout: Duration('10s'),
    tls,
    nodes: MeasuredFields('node'),
    shards: MeasuredFields('shard'),
    cluster: Type.Record(FieldName, Type.Object(MeasuredField, strict), { ...strict, default: {} }),
  },
  strict,
);
export type StateMetrics = Static<typeof StateMetrics>;

/** Shards: their manager, where their state comes from, and how executions on them behave. */
const Shards = Type.Object(
  {
    /** carries out what policies ask for; absent, executions do nothing but dry runs */
    manager: Type.Optional(
      Type.Object(
        {
          /** such as `https://shards.internal`; paths below `/v1` are added to it */
          url: Type.String({ minLength: 1 }),
          bearerToken: Type.Optional(SettingsSecret),
          /** of one request */
          timeout: Duration('10s'),
          tls,
        },
        strict,
      ),
    ),
    state: Type.Object(
      {
        /** a state document relative to the settings file, in place of the manager's */
        file: Type.Optional(Type.String({ minLength: 1 })),
        /** adds metrics to what the manager or the file has */
        prometheus: Type.Optional(StateMetrics),
        /** a state that was observed earlier is an error */
        maxAge: Duration(DEFAULT_DURATIONS.factMaxAge),
      },
      { ...strict, default: {} },
    ),
    execution: Type.Object(
      {
        /** of one attempt at a step that is no move */
        stepTimeout: Duration('1m'),
        /** of a move, after which it is called off; at most a day */
        moveTimeout: Duration('30m'),
        /** how often a move is asked for */
        pollEvery: Duration('2s'),
        /** at a step, before what was done is taken back */
        attempts: Type.Integer({ minimum: 1, maximum: 100, default: 5 }),
        /** at taking one step back, before people are told */
        rollbackAttempts: Type.Integer({ minimum: 1, maximum: 100, default: 5 }),
        /** how often taking back is tried again while people are told of it */
        rollbackRetryEvery: Duration('10m'),
        remindAfter: Duration('15m'),
        remindAtMost: Duration('24h'),
      },
      { ...strict, default: {} },
    ),
  },
  { ...strict, default: {} },
);

/** Image policies: where they are, and what their decisions may take. */
const Policy = Type.Object(
  {
    /** false: images follow the mapping alone */
    enabled: Type.Boolean({ default: false }),
    /** a file or folder of image policies relative to the settings file */
    configPath: Type.Optional(Type.String({ minLength: 1 })),
    /** policies beside those of `configPath`; one of both is required once policies are enabled */
    policies: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 1_000 })),
    /** what policies name as `secret:NAME` */
    secrets: Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]+$' }), SettingsSecret, { ...strict, default: {} }),
    /** condition types of your own; each exports `createConditionType(name, options)` */
    conditionTypes: OwnModules,
    /** of all policies for one image; a policy that is not evaluated in time is unknown */
    evaluationTimeout: Duration('5s'),
    /** images that a worker decides about and copies at once, for one sync */
    maxConcurrency: Type.Integer({ minimum: 1, maximum: 64, default: 8 }),
    /** digests whose metadata is kept in memory */
    cacheSize: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10_000 }),
    /** whether what is decided and copied is measured */
    metricsEnabled: Type.Boolean({ default: true }),
    /** what happens to an image whose policies cannot be evaluated: it is blocked, or it follows the mapping */
    onEvaluationError: Type.Union([Type.Literal('block'), Type.Literal('default')], { default: 'block' }),
  },
  { ...strict, default: {} },
);

/** What encrypts and decrypts values of the settings and of image policies, by age. */
const Secrets = Type.Object(
  {
    /** a file of its owner alone with identities as age-keygen writes them, relative to the settings file */
    identityFile: Type.Optional(Type.String({ minLength: 1 })),
    /** whom `gate images secret encrypt` encrypts for; @default the identities' own recipients */
    recipients: Type.Array(Type.String({ pattern: '^age1[a-z0-9]+$', description: 'a recipient such as age1…' }), {
      default: [],
      maxItems: 100,
    }),
  },
  { ...strict, default: {} },
);

/** A registry of container images, under the name that policies and the mapping use. */
export const ImageRegistry = Type.Object(
  {
    /** such as `registry.example:5000`; @default the name */
    host: Type.Optional(Type.String({ minLength: 1 })),
    /** reached without TLS */
    plainHttp: Type.Boolean({ default: false }),
    /** certificates in PEM that it is trusted by, relative to the settings file; @default those of Node.js */
    caFile: Type.Optional(Type.String({ minLength: 1 })),
    /** requests at once */
    concurrency: Type.Integer({ minimum: 1, maximum: 256, default: 8 }),
    /** further attempts included; @default no limit */
    requestsPerSecond: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 })),
    /** of blobs, sent and received together; @default no limit */
    bytesPerSecond: Type.Optional(Type.Integer({ minimum: 1 })),
    /** creates a repository that a copy goes to and the registry lacks; @default such a copy is an error */
    createRepositories: Type.Optional(
      Type.Object(
        {
          provider: Type.Literal('ecr'),
          /** of AWS; @default that of the host */
          region: Type.Optional(Type.String({ minLength: 1 })),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type ImageRegistry = Static<typeof ImageRegistry>;

/** The schema of a settings file: what belongs to an installation and not to a release. Unknown keys are faults. */
export const Settings = Type.Object(
  {
    temporal: Type.Object(
      {
        /** address, namespace, TLS and keys follow Temporal's own variables and profiles; these override them */
        profile: Type.Optional(Type.String()),
        address: Type.Optional(Type.String()),
        namespace: Type.Optional(Type.String()),
        taskQueue: Type.String({ default: 'deployment-gate' }),
        workflowTaskTimeout: Duration('10s'),
        maxConcurrentActivities: Type.Integer({ minimum: 1, maximum: 10000, default: 100 }),
        shutdownGraceTime: Duration('10s'),
        /** workflows that a worker keeps in memory between two tasks; one that it does not keep is replayed */
        maxCachedWorkflows: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 1_000 }),
        /** a deployment continues as new beyond this many events; absent, when the server suggests it */
        historyLimit: Type.Optional(Type.Integer({ minimum: 100, maximum: 50_000 })),
        /** encrypts payloads and failure messages: the first key encrypts, all decrypt; required once facts are masked */
        encryptionKeys: Type.Array(EncryptionKey, { default: [], maxItems: 16 }),
        /** makes the worker a versioned one, which gets tasks only while its build is current; absent, it is unversioned */
        deployment: Type.Optional(WorkerDeployment),
        /** `hold`: workflows leave patches of this release inactive, so that workers of the release before can replay them */
        newPatches: Type.Union([Type.Literal('activate'), Type.Literal('hold')], { default: 'activate' }),
      },
      { ...strict, default: {} },
    ),
    release: Type.Object(
      {
        /** URL of the manifest: `s3://bucket/key`, `file://…`, or a path relative to the settings file */
        manifest: Type.String({ default: 'manifests/latest.json' }),
        refreshInterval: Duration(DEFAULT_DURATIONS.refresh),
        s3: S3Access,
        /** whether a manifest must hold digests; absent: required of `s3://`, optional in files */
        digests: Type.Optional(Type.Union([Type.Literal('required'), Type.Literal('optional')])),
        /** takes bundles without a plan: wasm then decides alone, and nothing notices what is missing in it */
        allowWasmOnly: Type.Boolean({ default: false }),
        allow: Allow,
        /** when set, manifests and bundles that are unsigned, wrongly signed or altered are refused, and manifests older than the last */
        verificationKey: Type.Optional(VerificationKey),
        /** where a release from S3 is kept for a start without it; @default $XDG_CACHE_HOME/planning-engine/releases */
        cacheFolder: Type.Optional(Type.String({ minLength: 1 })),
      },
      { ...strict, default: {} },
    ),
    audit: Type.Object(
      {
        store: Type.Object(
          {
            type: Type.Union([Type.Literal('postgres'), Type.Literal('dynamodb'), Type.Literal('none')], {
              default: 'postgres',
            }),
            /** a PostgreSQL URL, or where it is kept; absent, an embedded PGlite folder is used */
            url: Type.Optional(Type.Union([Type.String({ minLength: 1 }), SettingsSecret])),
            /** folder of the embedded store; @default $XDG_DATA_HOME/planning-engine/store */
            folder: Type.Optional(Type.String()),
            /** of DynamoDB alone, as what follows */
            table: Type.String({ pattern: '^[A-Za-z0-9_.-]{3,255}$', default: 'DeploymentGateAuditLog' }),
            ...awsPlace,
            /** how long DynamoDB keeps a record, by its TTL; a day at least */
            retention: Duration('400d'),
            /** where the facts of a record go that is too big for DynamoDB's 400 KB; absent, such a record is refused */
            bigFacts: Type.Optional(
              Type.Object(
                {
                  bucket: Type.String({ minLength: 3, maxLength: 63 }),
                  prefix: Type.String({ default: 'audit-facts/' }),
                  s3: S3Access,
                },
                strict,
              ),
            ),
          },
          { ...strict, default: {} },
        ),
        /** how long PostgreSQL and the embedded store keep a record, a day at least; absent, for ever */
        retention: Type.Optional(Duration()),
        /** copies, at least once */
        stdout: Type.Boolean({ default: true }),
        upload: Type.Optional(DecisionLogUpload),
        /**
         * JSON Pointers below `/input` whose values are kept out of records, logs, alerts and exports, beside those that the
         * bundle's own `data.system.log.mask` names, e.g. `/input/fleet/serial` or `/input/deployment/attributes/owner`
         */
        mask: Type.Array(Type.String({ pattern: '^/input/.+$' }), { default: [] }),
      },
      { ...strict, default: {} },
    ),
    alerts: Type.Object(
      {
        receivers: Type.Array(AlertReceiverConfig, { default: [] }),
        /** link put into alerts and current details, e.g. the Temporal UI's address */
        uiUrl: Type.Optional(Type.String()),
        /** what of a deployment people are told */
        on: Type.Array(Type.Union(ALERT_EVENTS.map((event) => Type.Literal(event))), { default: [...ALERT_EVENTS] }),
        /** put on every alert, e.g. `team` for routing; not `alertname`, `deployment_id`, `stage`, `severity` or `manifest` */
        labels: Type.Record(
          Type.String({ pattern: '^(?!(alertname|deployment_id|stage|severity|manifest)$)[A-Za-z_][A-Za-z0-9_]*$' }),
          Type.String({ minLength: 1, maxLength: 256 }),
          { ...strict, default: {} },
        ),
      },
      { ...strict, default: {} },
    ),
    actions: Actions,
    rules: Rules,
    shards: Shards,
    plans: Plans,
    policy: Policy,
    secrets: Secrets,
    /** by name; a registry that is not here is reached with the defaults under its host */
    registries: Type.Record(Type.String({ minLength: 1, maxLength: 255 }), ImageRegistry, { default: {} }),
    /** where images go that no policy replicates, such as `docker.example/team/*` to `mirror.example/{repository}` */
    mapping: Type.Record(Type.String({ minLength: 1 }), Type.String({ minLength: 1 }), { default: {} }),
    http: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1' }),
        /** 0 takes a free port */
        port: Type.Integer({ minimum: 0, maximum: 65535, default: 9100 }),
        /** required before binding to anything but loopback */
        bearerToken: Type.Optional(SettingsSecret),
        /** lets probes ask `/healthz` and `/readyz` without the token beyond loopback; they name the release in force */
        openProbes: Type.Boolean({ default: false }),
        /** opens `POST /v1/decisions`, and nothing else does; absent, there is no such route */
        decisionToken: Type.Optional(SettingsSecret),
      },
      { ...strict, default: {} },
    ),
    server: Server,
    access: Access,
    evaluationThreads: Type.Integer({ minimum: 1, maximum: 64, default: 1 }),
    logLevel: Type.Union(
      (['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const).map((level) => Type.Literal(level)),
      { default: 'info' },
    ),
  },
  strict,
);
export type Settings = Static<typeof Settings>;
