/** What istanbul counts in one file: how often each statement, function and branch ran. */
export interface FileCounts {
  s: Record<string, number>;
  f: Record<string, number>;
  b: Record<string, number[]>;
}

/** By the file's path. */
export type Counts = Record<string, FileCounts>;

/** What has run since the last call, and nothing of what has not; the counters begin at zero again. */
export function takeCounts(coverage: Counts): Counts {
  const taken: Counts = {};
  for (const [path, file] of Object.entries(coverage)) {
    const ran: FileCounts = { s: takeNumbers(file.s), f: takeNumbers(file.f), b: {} };
    for (const [id, arms] of Object.entries(file.b)) {
      if (arms.every((times) => times === 0)) continue;
      ran.b[id] = [...arms];
      arms.fill(0);
    }
    if ([ran.s, ran.f, ran.b].some((counters) => Object.keys(counters).length > 0)) taken[path] = ran;
  }
  return taken;
}

function takeNumbers(counters: Record<string, number>): Record<string, number> {
  const taken: Record<string, number> = {};
  for (const [id, times] of Object.entries(counters)) {
    if (times === 0) continue;
    taken[id] = times;
    counters[id] = 0;
  }
  return taken;
}

/** Adds counts of a file to others of the same file. */
export function addCounts(to: FileCounts, { s, f, b }: FileCounts): void {
  for (const [id, times] of Object.entries(s)) to.s[id] = (to.s[id] ?? 0) + times;
  for (const [id, times] of Object.entries(f)) to.f[id] = (to.f[id] ?? 0) + times;
  for (const [id, arms] of Object.entries(b)) to.b[id] = arms.map((times, arm) => (to.b[id]?.[arm] ?? 0) + times);
}
