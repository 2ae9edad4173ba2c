import { compareValues, equalValues } from './compare';
import { hashKey, type HashKey } from './hash-key';
import type { RegoValue } from './value';

/** Keys of any type, each once. `__proto__` is a key like any other. */
export class RegoObject {
  readonly kind = 'object';
  private byKey = new Map<HashKey, RegoValue>();
  /** the keys that differ from their hash keys */
  private original: Map<HashKey, RegoValue> | null = null;
  /** made when it is first asked for, and kept until the next insert */
  private sorted: RegoValue[] | null = null;

  constructor(entries?: Iterable<readonly [RegoValue, RegoValue]>) {
    if (entries !== undefined) for (const [key, value] of entries) this.set(key, value);
  }

  static from(record: Readonly<Record<string, RegoValue>>): RegoObject {
    return new RegoObject(Object.entries(record));
  }

  get size(): number {
    return this.byKey.size;
  }

  /** in Rego's order; not to be changed */
  get keys(): readonly RegoValue[] {
    return (this.sorted ??= inOrder(this.unsortedKeys()));
  }

  /** in Rego's order */
  get entries(): readonly (readonly [RegoValue, RegoValue])[] {
    return this.keys.map((key) => [key, this.get(key)!] as const);
  }

  get(key: RegoValue): RegoValue | undefined {
    return this.byKey.get(hashKey(key));
  }

  /** As `get`, of a text that does not begin with U+0000: it is its own hash key. */
  getPlain(name: string): RegoValue | undefined {
    return this.byKey.get(name);
  }

  has(key: RegoValue): boolean {
    return this.byKey.has(hashKey(key));
  }

  /** Only while the object is made: whoever was given one does not change it. The last value of a key stays. */
  set(key: RegoValue, value: RegoValue): this {
    const hash = hashKey(key);
    if (!this.byKey.has(hash)) {
      this.sorted = null;
      if (hash !== key) (this.original ??= new Map<HashKey, RegoValue>()).set(hash, key);
    }
    this.byKey.set(hash, value);
    return this;
  }

  /** As `set`, of a key that is new and a text that does not begin with U+0000. */
  addPlain(name: string, value: RegoValue): void {
    this.sorted = null;
    this.byKey.set(name, value);
  }

  /** in no order, for what does not depend on one */
  values(): IterableIterator<RegoValue> {
    return this.byKey.values();
  }

  equals(other: RegoObject): boolean {
    if (this.size !== other.size) return false;
    for (const [key, value] of this.byKey) {
      const found = other.byKey.get(key);
      if (found === undefined || !equalValues(value, found)) return false;
    }
    return true;
  }

  /** one level deep */
  copy(): RegoObject {
    const result = new RegoObject();
    result.byKey = new Map(this.byKey);
    result.original = this.original && new Map(this.original);
    result.sorted = this.sorted;
    return result;
  }

  private unsortedKeys(): RegoValue[] {
    const { original } = this;
    if (original === null) return [...this.byKey.keys()];
    return [...this.byKey.keys()].map((hash) => (original.has(hash) ? original.get(hash)! : hash));
  }
}

/** Sorts in place. Most objects are made in their order, and a look costs less than a sort. */
function inOrder(keys: RegoValue[]): RegoValue[] {
  for (let at = 1; at < keys.length; at++) {
    if (compareValues(keys[at - 1]!, keys[at]!) > 0) return keys.sort(compareValues);
  }
  return keys;
}
