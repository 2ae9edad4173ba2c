import { isJsonObject, type JsonObject } from '../../kernel/json';
import type { Execution } from '../kinds/execution';

/** What somebody asks of the run of an execution. */
export interface RunRequest {
  id: string;
  /** `cancel` stops the run and takes back what its nodes did; `retry` runs a node again that failed */
  kind: 'cancel' | 'retry';
  actor: string;
  /** 1 to 1,000 characters; of a `cancel` always */
  reason?: string;
  /** RFC 3339: when it was accepted */
  time: string;
  /** of a `retry`: the node's id */
  node?: string;
}

type Status = NonNullable<Execution['status']>;

/** Where an execution keeps what was asked of its run, under `status.extensions`. */
const REQUESTS = 'requests';
/** Where it keeps the request that its newest run was started for. */
const RESUMED = 'resumed';

/** What was asked and is not yet taken up, the oldest first. */
export function requestsOf(status: Pick<Status, 'extensions'> | JsonObject | undefined): RunRequest[] {
  const found = extensionsOf(status)[REQUESTS];
  return Array.isArray(found) ? found.filter(isJsonObject).map((each) => each as unknown as RunRequest) : [];
}

/** The request that the newest run of an execution was started for. */
export function resumedBy(status: Pick<Status, 'extensions'> | JsonObject | undefined): string | undefined {
  const found = extensionsOf(status)[RESUMED];
  return typeof found === 'string' ? found : undefined;
}

export function withRequest(status: Status, request: RunRequest): Status {
  return withRequests(status, [...requestsOf(status), request]);
}

/** Without those that the run has taken up. */
export function withoutRequests(status: Status, taken: (request: RunRequest) => boolean): Status {
  const before = requestsOf(status);
  const left = before.filter((request) => !taken(request));
  return left.length === before.length ? status : withRequests(status, left);
}

/** Of an execution that has ended and that a new run continues. */
export function withResumed(status: Status, id: string): Status {
  return { ...status, extensions: { ...extensionsOf(status), [RESUMED]: id } };
}

function withRequests(status: Status, requests: readonly RunRequest[]): Status {
  const { [REQUESTS]: _before, ...extensions } = extensionsOf(status);
  return {
    ...status,
    extensions:
      requests.length === 0
        ? extensions
        : { ...extensions, [REQUESTS]: requests.map((request) => ({ ...request }) as unknown as JsonObject) },
  };
}

function extensionsOf(status: { extensions?: unknown } | undefined): JsonObject {
  const { extensions } = status ?? {};
  return isJsonObject(extensions as JsonObject | undefined) ? (extensions as JsonObject) : {};
}
