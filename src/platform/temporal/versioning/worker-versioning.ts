import { setTimeout as delay } from 'node:timers/promises';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { makeCurrent } from './make-current';
import { readTaskRouting } from './read-task-routing';
import type { TaskRouting } from './task-routing';
import { watchRouting, type RoutingWatch } from './watch-routing';
import { describeVersion, versionOf, type WorkerBuild, type WorkerStatus } from './worker-build';

/** How long `--make-current` may take before the worker says that it gets no tasks. */
const MAKE_CURRENT_WITHIN_MS = 5_000;

/** How a worker takes part in Temporal's worker versioning. */
export interface WorkerVersioning {
  /** for `Worker.create`; the versioning behaviour is set here only, because in workflow code it fails unversioned workers */
  workerOptions: Pick<WorkerOptions, 'workerDeploymentOptions' | 'patchActivationCallback'>;
  status(): WorkerStatus;
  /** to be called when the worker polls */
  start(): void;
  /** resolves when nothing is asked of the server any more */
  stop(): Promise<void>;
}

/**
 * @param options.makeCurrent the worker makes its build the current one as soon as it polls; its deployment must be set
 * @param options.holdPatches workflows that meet a patch for the first time leave it inactive
 */
export function createWorkerVersioning(options: {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  identity: string;
  build: WorkerBuild;
  makeCurrent: boolean;
  holdPatches: boolean;
  logger: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
}): WorkerVersioning {
  const { connection, namespace, taskQueue, identity, build, logger } = options;
  const version = versionOf(build);
  const names = { buildId: build.buildId, ...(version === undefined ? {} : { deployment: version.name }) };
  const ended = new AbortController();
  let watch: RoutingWatch | undefined;
  let running: Promise<void> | undefined;

  const makeThisCurrent = async (): Promise<void> => {
    if (version === undefined || !options.makeCurrent) return;
    const onRefused = (reason: string): void =>
      logger.info({ ...names, reason }, 'Temporal does not make this build current yet: it is asked again');
    const { signal } = ended;
    const isCurrent = await makeCurrent({ connection, namespace, version, identity, signal, onRefused });
    if (isCurrent) logger.info(names, 'this build is current now');
  };
  const onIdle = ({ current }: TaskRouting): void => {
    const details = { ...names, taskQueue, current: describeVersion(current) };
    if (version === undefined) {
      logger.warn(details, 'this worker gets no tasks: it is unversioned, and a build is current');
      return;
    }
    const next = `temporal worker deployment set-current-version --deployment-name ${version.name} --build-id ${version.buildId}`;
    logger.warn({ ...details, next }, 'this worker gets no tasks: its build is not current');
  };
  const run = async (): Promise<void> => {
    const made = makeThisCurrent();
    const patience = delay(options.makeCurrent ? MAKE_CURRENT_WITHIN_MS : 0, undefined, { signal: ended.signal });
    await Promise.race([made, patience.catch(() => undefined)]);
    watch = watchRouting({
      read: () => readTaskRouting(connection, namespace, taskQueue),
      build,
      onIdle,
      onBusy: () => logger.info(names, 'this worker gets tasks'),
      nowMs: Date.now,
    });
    await made;
  };

  return {
    workerOptions: {
      ...(version === undefined
        ? {}
        : {
            workerDeploymentOptions: {
              version: { deploymentName: version.name, buildId: version.buildId },
              useWorkerVersioning: true,
              defaultVersioningBehavior: 'AUTO_UPGRADE' as const,
            },
          }),
      ...(options.holdPatches ? { patchActivationCallback: () => false } : {}),
    },
    status: () => ({
      buildID: build.buildId,
      ...(version === undefined ? {} : { deployment: version.name }),
      receivesTasks: watch?.receivesTasks() ?? false,
    }),
    start: () => void (running ??= run()),
    stop: async () => {
      ended.abort();
      await running;
      await watch?.stop();
    },
  };
}
