import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '../../proto/grpc/health/v1/health_pb';

export interface HealthOptions {
  /** full names of the services that are served */
  services: readonly string[];
  /** whether they can do their work now */
  isServing(): Promise<boolean>;
  /** aborted when the server stops: who watches is told so */
  stopping: AbortSignal;
}

/** How often a watched status is looked at. */
const LOOK_EVERY_MS = 2_000;

/** `grpc.health.v1.Health`, as Kubernetes and load balancers ask it: the empty name is the server as a whole. */
export function routeHealth(router: ConnectRouter, options: HealthOptions): void {
  const known = ['', ...options.services];
  const statusNow = async () =>
    !options.stopping.aborted && (await options.isServing()) ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  router.service(Health, {
    async check({ service }) {
      if (known.includes(service)) return { status: await statusNow() };
      throw new ConnectError(`There is no service ${JSON.stringify(service)}`, Code.NotFound);
    },
    async list() {
      const status = await statusNow();
      return { statuses: Object.fromEntries(known.map((name) => [name, { status }])) };
    },
    async *watch({ service }, { signal }) {
      // A service may come later, says the protocol, so an unknown one is an answer and no error.
      if (!known.includes(service)) {
        yield { status: ServingStatus.SERVICE_UNKNOWN };
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        return;
      }
      for (let told: ServingStatus | undefined; !signal.aborted;) {
        const status = await statusNow();
        if (status !== told) yield { status };
        told = status;
        if (options.stopping.aborted) return;
        await pause(LOOK_EVERY_MS, [signal, options.stopping]);
      }
    },
  });
}

function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    for (const signal of signals) signal.addEventListener('abort', wake, { once: true });
  });
}
