/**
 * A map of at most so many entries: one more takes the place of the least recently used. Reading an entry uses it, as
 * setting it does.
 */
export class BoundedMap<Key, Value> {
  /** least recently used first: a Map keeps its entries in the order in which they were set */
  private readonly entries = new Map<Key, Value>();

  /** @throws RangeError unless `mostEntries` is a whole number of at least 1 */
  constructor(private readonly mostEntries: number) {
    if (!Number.isSafeInteger(mostEntries) || mostEntries < 1)
      throw new RangeError(`Expected room for at least one entry, got ${mostEntries}`);
  }

  get(key: Key): Value | undefined {
    const value = this.entries.get(key);
    if (value !== undefined || this.entries.has(key)) this.set(key, value as Value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.mostEntries) return;
    for (const leastRecent of this.entries.keys()) {
      this.entries.delete(leastRecent);
      return;
    }
  }

  delete(key: Key): void {
    this.entries.delete(key);
  }
}
