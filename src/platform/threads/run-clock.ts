/** The call that a thread is at, and since when. */
export interface CurrentRun {
  callId: number;
  /** whether it is still making the release ready: that is not part of the evaluation's deadline */
  isLoading: boolean;
  /** `process.hrtime.bigint()`, which all threads of a process share */
  sinceNs: bigint;
  /** what the run said of itself so far, up to `LONGEST_NOTE` bytes of UTF-8 */
  note?: string;
}

const SINCE = 0;
const CALL = 1;
const LOADING = 2;
/** bytes of the note that is there; 0 for none */
const NOTE = 3;
const READY = 4;
const CELLS = 5;
const LONGEST_NOTE = 8_192;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Memory that a thread and the one that watches it share. A thread that loops cannot answer a message, so the watcher
 * reads here when the evaluation began, and what it came to so far: a deadline counts from then, not from when the call was
 * queued.
 */
export class RunClock {
  private readonly cells: BigInt64Array;
  private readonly text: Uint8Array;
  /** the note that is in the memory, which need not be written again */
  private written = '';
  private writtenBytes = 0n;

  constructor(readonly buffer = new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT + LONGEST_NOTE)) {
    this.cells = new BigInt64Array(buffer, 0, CELLS);
    this.text = new Uint8Array(buffer, CELLS * BigInt64Array.BYTES_PER_ELEMENT);
  }

  /** The thread can take calls. Not by message: one that dies with its first call may be gone before its message is read. */
  markReady(): void {
    Atomics.store(this.cells, READY, 1n);
  }

  get isReady(): boolean {
    return Atomics.load(this.cells, READY) === 1n;
  }

  /** @param callId from 1 upwards */
  begin(callId: number, isLoading: boolean, nowNs: bigint): void {
    // The call last: whoever reads it finds a time that is at least as young, and so never stops a call too early.
    Atomics.store(this.cells, SINCE, nowNs);
    Atomics.store(this.cells, LOADING, isLoading ? 1n : 0n);
    Atomics.store(this.cells, NOTE, 0n);
    Atomics.store(this.cells, CALL, BigInt(callId));
  }

  /** Says something of the run that is under way, for a watcher that finds it stuck. */
  note(text: string): void {
    if (text !== this.written) {
      // encodeInto does not write to shared memory, and cuts between characters
      const bytes = new Uint8Array(LONGEST_NOTE);
      const { written } = encoder.encodeInto(text, bytes);
      this.text.set(bytes.subarray(0, written));
      this.written = text;
      this.writtenBytes = BigInt(written);
    }
    Atomics.store(this.cells, NOTE, this.writtenBytes);
  }

  end(): void {
    Atomics.store(this.cells, CALL, 0n);
  }

  /** undefined while the thread is idle */
  read(): CurrentRun | undefined {
    const callId = Number(Atomics.load(this.cells, CALL));
    const isLoading = Atomics.load(this.cells, LOADING) === 1n;
    const sinceNs = Atomics.load(this.cells, SINCE);
    const noted = Number(Atomics.load(this.cells, NOTE));
    if (callId === 0) return undefined;
    // slice: a decoder takes no shared memory
    const note = noted === 0 ? {} : { note: decoder.decode(this.text.slice(0, noted)) };
    return { callId, isLoading, sinceNs, ...note };
  }
}
