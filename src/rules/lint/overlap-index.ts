import type { Range } from './ranges';

/** What is known of where a policy can match: by metric, what must be so. */
export interface Ranged {
  ranges: ReadonlyMap<string, Range>;
}

/**
 * Items in their order, of which those are found that another one may match together with. Each is kept under one metric that it
 * binds to a few values, the one whose values are the rarest among all; so items that are bound to other values of it are not
 * looked at.
 */
export class OverlapIndex<T extends Ranged> {
  /** how many items bind a metric to a value, by both */
  private readonly frequencies = new Map<string, Map<string, number>>();
  /** by metric, then by value in canonical JSON, the positions of the items that are kept under it */
  private readonly kept = new Map<string, { byValue: Map<string, number[]>; all: number[] }>();
  private readonly rest: number[] = [];
  private readonly items: T[] = [];

  /** @param all every item that will be added, for what is rare among them */
  constructor(all: readonly T[]) {
    for (const { ranges } of all) {
      for (const [metric, { values }] of ranges) {
        if (values === undefined) continue;
        const counts = this.frequencies.get(metric) ?? new Map<string, number>();
        this.frequencies.set(metric, counts);
        for (const text of values.keys()) counts.set(text, (counts.get(text) ?? 0) + 1);
      }
    }
  }

  add(item: T): void {
    const position = this.items.push(item) - 1;
    const metric = this.rarest(item);
    if (metric === undefined) {
      this.rest.push(position);
      return;
    }
    const kept = this.kept.get(metric) ?? { byValue: new Map<string, number[]>(), all: [] };
    this.kept.set(metric, kept);
    kept.all.push(position);
    for (const text of item.ranges.get(metric)!.values!.keys()) {
      const same = kept.byValue.get(text);
      if (same === undefined) kept.byValue.set(text, [position]);
      else same.push(position);
    }
  }

  /** The items that were added, without those that are bound to other values than `item`; in their order. */
  near({ ranges }: Ranged): T[] {
    const lists = [this.rest];
    for (const [metric, { byValue, all }] of this.kept) {
      const values = ranges.get(metric)?.values;
      if (values === undefined) lists.push(all);
      else for (const text of values.keys()) lists.push(byValue.get(text) ?? []);
    }
    const filled = lists.filter(({ length }) => length > 0);
    const positions =
      filled.length <= 1 ? (filled[0] ?? []) : [...new Set(filled.flat())].sort((one, other) => one - other);
    return positions.map((position) => this.items[position]!);
  }

  private rarest({ ranges }: T): string | undefined {
    let best: { metric: string; count: number } | undefined;
    for (const [metric, { values }] of ranges) {
      if (values === undefined) continue;
      let count = 0;
      for (const text of values.keys()) count += this.frequencies.get(metric)!.get(text)!;
      if (best === undefined || count < best.count) best = { metric, count };
    }
    return best?.metric;
  }
}
