import { setTimeout as wait } from 'node:timers/promises';

export interface PaceClock {
  /** milliseconds */
  now(): number;
  wait(milliseconds: number): Promise<unknown>;
}

const REAL: PaceClock = { now: () => performance.now(), wait };

/** What may be taken at once after a rest, as a share of a second's worth. */
const BURST_SECONDS = 0.1;

/**
 * Holds what is taken to so much a second, in the order it is asked for. Each taking waits until those before it are paid for, so
 * one that is larger than a second's worth passes too.
 */
export class Pace {
  /** when all that was taken is paid for */
  private paidAtMs = -Infinity;

  /** @param perSecond above 0 */
  constructor(
    private readonly perSecond: number,
    private readonly clock: PaceClock = REAL,
  ) {}

  /** Resolves when `amount` may be used. */
  async take(amount: number): Promise<void> {
    const nowMs = this.clock.now();
    const startMs = Math.max(this.paidAtMs, nowMs - BURST_SECONDS * 1000);
    this.paidAtMs = startMs + (amount / this.perSecond) * 1000;
    const waitMs = startMs - nowMs;
    if (waitMs > 0) await this.clock.wait(waitMs);
  }
}
