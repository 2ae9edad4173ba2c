/** One line of the benchmark's table: ours and a baseline, measured in turn in one run. */
export interface BenchRow {
  name: string;
  /** what ours is compared with */
  baseline: string;
  ours: number;
  base: number;
  /** ours over base */
  ratio: number;
  /** the bound on the ratio, as text */
  target: string;
  met: boolean;
  unit: string;
  /** why nothing was measured: the baseline is not to be had */
  skipped?: string;
}

/** The middle value; of two middle ones, the upper. NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Asks so often, so many at a time. @returns how many answers came in a second */
export async function perSecond(calls: number, callers: number, ask: () => Promise<unknown>): Promise<number> {
  const from = process.hrtime.bigint();
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await ask();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return calls / (Number(process.hrtime.bigint() - from) / 1e9);
}

/** Measures ours and the baseline by turns, so that a noisy machine hits both alike; the medians of `rounds`. */
export async function alternate(
  rounds: number,
  ours: () => Promise<number>,
  base: () => Promise<number>,
): Promise<{ ours: number; base: number; ratio: number }> {
  const found = { ours: [] as number[], base: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    found.ours.push(await ours());
    found.base.push(await base());
  }
  const [one, other] = [median(found.ours), median(found.base)];
  return { ours: one, base: other, ratio: one / other };
}

/** In milliseconds. */
export interface Latency {
  p50: number;
  p99: number;
}

/** What calls take when every client makes one after the other. */
export async function latencyOf(clients: readonly (() => Promise<unknown>)[], calls: number): Promise<Latency> {
  const took: number[] = [];
  let left = calls;
  await Promise.all(
    clients.map(async (ask) => {
      while (left-- > 0) {
        const from = process.hrtime.bigint();
        await ask();
        took.push(Number(process.hrtime.bigint() - from) / 1e6);
      }
    }),
  );
  took.sort((one, other) => one - other);
  const quantile = (share: number) => took[Math.ceil(took.length * share) - 1]!;
  return { p50: quantile(0.5), p99: quantile(0.99) };
}
