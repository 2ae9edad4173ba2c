import type { NodeServerRequest, NodeServerResponse } from './node-request';
import type { Principal } from './role';

/** A part of a server that answers plain HTTP under paths of its own, to callers that the server knows. */
export interface HttpSurface {
  serves(path: string): boolean;
  /** it knows its callers itself, by tokens of its own; @default the server does */
  readonly knowsCallers?: true;
  /** the body of an answer that the server gives in its place */
  refusal(reason: 'Unauthorized' | 'Forbidden' | 'TooManyRequests', message: string): object;
  /**
   * Answers a request whole, its errors too; what it throws is logged, and told to the client as a failure without words.
   *
   * @param context.stopping aborted when the server stops: answers that go on for ever end
   */
  answer(
    request: NodeServerRequest,
    response: NodeServerResponse,
    context: { caller: Principal; stopping: AbortSignal },
  ): Promise<void>;
}
