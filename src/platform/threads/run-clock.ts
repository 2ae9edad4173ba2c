/** The call that a thread is at, and since when. */
export interface CurrentRun {
  callId: number;
  /** whether it is still making the release ready: that is not part of the evaluation's deadline */
  isLoading: boolean;
  /** `process.hrtime.bigint()`, which all threads of a process share */
  sinceNs: bigint;
}

const SINCE = 0;
const CALL = 1;
const LOADING = 2;

/**
 * Memory that a thread and the one that watches it share. A thread that loops cannot answer a message, so the watcher
 * reads here when the evaluation began: a deadline counts from then, not from when the call was queued.
 */
export class RunClock {
  private readonly cells: BigInt64Array;

  constructor(readonly buffer = new SharedArrayBuffer(3 * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.cells = new BigInt64Array(buffer);
  }

  /** @param callId from 1 upwards */
  begin(callId: number, isLoading: boolean, nowNs: bigint): void {
    // The call last: whoever reads it finds a time that is at least as young, and so never stops a call too early.
    Atomics.store(this.cells, SINCE, nowNs);
    Atomics.store(this.cells, LOADING, isLoading ? 1n : 0n);
    Atomics.store(this.cells, CALL, BigInt(callId));
  }

  end(): void {
    Atomics.store(this.cells, CALL, 0n);
  }

  /** undefined while the thread is idle */
  read(): CurrentRun | undefined {
    const callId = Number(Atomics.load(this.cells, CALL));
    const isLoading = Atomics.load(this.cells, LOADING) === 1n;
    const sinceNs = Atomics.load(this.cells, SINCE);
    return callId === 0 ? undefined : { callId, isLoading, sinceNs };
  }
}
