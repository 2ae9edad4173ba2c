import { SimplePlugin } from '@temporalio/plugin';
import type { DataConverter } from '@temporalio/common';
import { Client } from '@temporalio/client';
import { Worker, type BundleOptions, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from './activities/create-gate-activities';
import { createSweepActivities } from './activities/create-sweep-activities';
import type { GateActivities } from './activities/gate-activities';
import type { SweepActivities } from './activities/sweep-activities';
import type { LoadedSettings, PlainSettings } from './settings/load-settings';
import { toLoaded } from './gate/create-gate';
import { HEARTBEATS } from './platform/temporal/heartbeats';
import { messageConverterPath } from './platform/temporal/converters/message-converter-path';
import { builtWorkflows } from './built-workflows';
import { keepSweep } from './platform/temporal/keeping/keep-sweep';
import { encrypts, gateDataConverter } from './settings/open-data-converter';
import { createServices, type ServiceOptions } from './gate/services';

/** The gate's activities for a worker of your own, and how to end what they hold. */
export interface OpenGateActivities {
  /** to be registered with a worker */
  activities: GateActivities & Partial<SweepActivities>;
  /**
   * reads messages that would fail the workflow task for ever; encrypts where the settings name keys, and reads what other
   * workers of the gate encrypted. Its `payloadConverterPath` belongs to the options of `bundleWorkflowCode`, too.
   */
  dataConverter: DataConverter;
  /** closes the services; to be called once the worker has stopped */
  close(): Promise<void>;
}

/**
 * Opens the gate's services and gives its activities, to be registered with a worker whose workflows call `awaitGate`.
 * Such a worker is not seen by `gate policy status` and `gate policy reload`, which ask those that `gate worker` runs; it
 * reads the manifest at the refresh interval.
 *
 * @param settings as of `createGate`
 * @throws GateError ConfigInvalid
 */
export async function createGateActivities(
  settings?: string | PlainSettings | LoadedSettings,
  options: ServiceOptions = {},
): Promise<OpenGateActivities> {
  const loaded = await toLoaded(settings, options.env);
  const dataConverter = await gateDataConverter(loaded, options.env);
  const services = await createServices(loaded, { ...options, overTemporal: true });
  return {
    activities: { ...createActivities(services), ...createSweepActivities(services) },
    dataConverter,
    close: () => services.close(),
  };
}

/** Where the sweep of a program of your own runs. */
export interface SweepOptions {
  /** of the namespace's server; stays open */
  connection: NativeConnection;
  /** @default `default` */
  namespace?: string;
  /** of the sweep alone: your own workers do not have its workflow. Workers with other encryption keys need another one */
  taskQueue: string;
}

/** A worker that runs the sweep. */
export interface RunningSweep {
  /** resolves when it has stopped, rejects when it failed */
  stopped: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Records the ends of deployments whose workflow Temporal terminated or let time out, in a namespace without a `gate
 * worker`, which does so by itself. Several programs may call it: one sweep runs a namespace, on a queue that has workers.
 * Your own workers need the gate's activities, since each end is recorded on the task queue of its workflow.
 */
export async function startSweep(
  { activities, dataConverter }: OpenGateActivities,
  { connection, namespace = 'default', taskQueue }: SweepOptions,
): Promise<RunningSweep> {
  const { findClosed, recordClosed } = activities;
  const { bundle } = await builtWorkflows(encrypts(dataConverter));
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: bundle,
    dataConverter,
    activities: { findClosed, recordClosed },
  });
  const sweep = keepSweep(new Client({ connection, namespace, dataConverter }), { namespace, taskQueue });
  const stopped = worker.run().finally(() => sweep.stop());
  return {
    stopped,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await stopped;
    },
  };
}

/**
 * A plugin for workers, clients, replays and bundles: `Worker.create({ …, plugins: [gatePlugin(open)] })` registers the
 * gate's activities beside your own, reads messages that would otherwise fail a workflow task for ever, and encrypts where
 * the settings name keys. Your own payload converter is wrapped. Give it to the client that starts your workflows, too: it
 * must encrypt alike; and to `bundleWorkflowCode`, where you bundle workflows yourself.
 */
export function gatePlugin(open: OpenGateActivities): SimplePlugin {
  return new GatePlugin(open);
}

class GatePlugin extends SimplePlugin {
  constructor({ activities, dataConverter }: OpenGateActivities) {
    super({
      name: 'planning-engine.gate',
      activities,
      dataConverter: (own = {}) => ({
        ...own,
        ...dataConverter,
        payloadConverterPath: messageConverterPath(own.payloadConverterPath),
      }),
    });
  }

  /** An abort reaches an action under way within 2 s, unless you set another interval. */
  override configureWorker(options: WorkerOptions): WorkerOptions {
    return { ...HEARTBEATS, ...super.configureWorker(options) };
  }

  override configureBundler(options: BundleOptions): BundleOptions {
    const configured = super.configureBundler(options);
    return { ...configured, payloadConverterPath: messageConverterPath(options.payloadConverterPath) };
  }
}
