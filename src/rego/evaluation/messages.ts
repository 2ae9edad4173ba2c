import type { RunFailure } from './run-failure';
import type { RunnablePolicy } from './runnable-policy';

/** A release for a thread to hold. */
export interface LoadMessage extends RunnablePolicy {
  load: number;
}

/** The release is not asked for again. */
export interface DropMessage {
  drop: number;
}

/** An evaluation: a tuple of plain values, which cross to the thread in a third of an object's time. */
export type CallMessage = [callId: number, releaseId: number, inputText: string, decisionTimeMs: number];

/** Calls made together share a message: crossing between threads costs more than the evaluation of a small policy. */
export type ToThread = LoadMessage | DropMessage | CallMessage[];

/** `responseText` is JSON, or undefined where the entrypoint is; `accountText` is JSON of an EvaluationAccount. */
export type Answer = [
  callId: number,
  responseText: string | undefined,
  evalDurationNs: number,
  accountText: string | undefined,
  failure?: RunFailure,
];

export type FromThread = Answer[];

export interface ThreadData {
  clock: SharedArrayBuffer;
}
