import type { OnReadOpts, Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { buildConnector } from 'undici';

/** Bytes of a buffer that a connection is read into. */
const BUFFER_BYTES = 128 * 1024;
/** Buffers that are kept for the next read. */
const MOST_KEPT = 64;
/** A read that fills less of its buffer than this share is copied. */
const LEAST_SHARE = 1 / 8;

/**
 * Connections for bodies that are read from one of them and written to another, without a change: what a read gave is read into
 * again once it was written. Otherwise each read allocates 64 KiB outside V8's heap, which makes V8 collect all of it every 20 MB;
 * that and the allocations take half of the processor time of a transfer. Over TLS reads are records of 16 KiB at most, and stay
 * as Node.js does them.
 *
 * What was read and is not written, or not as a whole, is left to the garbage collector. So who keeps a part of a body beyond its
 * writing must copy it.
 */
export function createRecyclingConnector(options: ConnectionOptions): buildConnector.connector {
  const tls = buildConnector(options);
  const plain = buildConnector({ ...options, onread: createReadBuffers() } as buildConnector.BuildOptions);
  return (asked, callback) =>
    (asked.protocol === 'https:' ? tls : plain)(asked, (...result) => {
      if (result[0] === null) givingBack(result[1]);
      callback(...result);
    });
}

/** The buffers that were handed to readers, by their memory, and how much of each. */
const lent = new WeakMap<ArrayBufferLike, { bytes: number; giveBack(): void }>();

function createReadBuffers(): OnReadOpts {
  const kept: Buffer[] = [];
  const keep = (buffer: Uint8Array): void => {
    if (kept.length < MOST_KEPT) kept.push(buffer as Buffer);
  };
  return {
    buffer: () => kept.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES),
    callback(this: Socket, bytes, buffer) {
      const read = buffer.subarray(0, bytes);
      if (bytes < BUFFER_BYTES * LEAST_SHARE) {
        keep(buffer);
        return this.push(Buffer.from(read));
      }
      lent.set(buffer.buffer, { bytes, giveBack: () => keep(buffer) });
      return this.push(read);
    },
  };
}

/** Makes a connection give back what it wrote: by then the kernel has its own copy. */
function givingBack(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]): boolean => {
    const [chunk] = args;
    const loan = args.length === 1 && chunk instanceof Uint8Array ? lent.get(chunk.buffer) : undefined;
    if (loan === undefined || loan.bytes !== (chunk as Uint8Array).length) return write(...args);
    return write(chunk, (error?: Error | null) => {
      const { buffer } = chunk as Uint8Array;
      if ((error !== undefined && error !== null) || lent.get(buffer) !== loan) return;
      lent.delete(buffer);
      loan.giveBack();
    });
  };
}
