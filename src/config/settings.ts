import { Type, type Static } from '@sinclair/typebox';
import { Duration, SecretRef } from './release-config';

// What one worker is told: where things are. Never swapped while it runs; configs/Settings.pkl says the same in PKL and a
// test compares the two.

const strict = { additionalProperties: false } as const;

export const AlertReceiverConfig = Type.Object(
  {
    format: Type.Union([Type.Literal('alertmanager'), Type.Literal('slack')]),
    url: Type.Union([Type.String({ minLength: 1 }), SecretRef]),
    timeout: Duration('5s'),
  },
  strict,
);
export type AlertReceiverConfig = Static<typeof AlertReceiverConfig>;

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
      },
      { ...strict, default: {} },
    ),
    release: Type.Object(
      {
        /** URL of the manifest: `file://…`, or a path relative to the settings file */
        manifest: Type.String({ default: 'manifests/latest.json' }),
        refreshInterval: Duration('30s'),
      },
      { ...strict, default: {} },
    ),
    audit: Type.Object(
      {
        store: Type.Object(
          {
            type: Type.Union([Type.Literal('postgres'), Type.Literal('none')], { default: 'postgres' }),
            /** a PostgreSQL URL, or where it is kept; absent, an embedded PGlite folder is used */
            url: Type.Optional(Type.Union([Type.String({ minLength: 1 }), SecretRef])),
            /** folder of the embedded store; @default $XDG_DATA_HOME/planning-engine/store */
            folder: Type.Optional(Type.String()),
          },
          { ...strict, default: {} },
        ),
        /** copies, at least once */
        stdout: Type.Boolean({ default: true }),
      },
      { ...strict, default: {} },
    ),
    alerts: Type.Object(
      {
        receivers: Type.Array(AlertReceiverConfig, { default: [] }),
        /** link put into alerts and current details, e.g. the Temporal UI's address */
        uiUrl: Type.Optional(Type.String()),
      },
      { ...strict, default: {} },
    ),
    http: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1' }),
        /** 0 takes a free port */
        port: Type.Integer({ minimum: 0, maximum: 65535, default: 9100 }),
        /** required before binding to anything but loopback */
        bearerToken: Type.Optional(SecretRef),
      },
      { ...strict, default: {} },
    ),
    evaluationThreads: Type.Integer({ minimum: 1, maximum: 64, default: 1 }),
    logLevel: Type.Union(
      (['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const).map((level) => Type.Literal(level)),
      { default: 'info' },
    ),
  },
  strict,
);
export type Settings = Static<typeof Settings>;
