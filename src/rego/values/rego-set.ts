import { compareValues } from './compare';
import { hashKey, type HashKey } from './hash-key';
import type { RegoValue } from './value';

/** Values without duplicates; of equal ones that are written differently (8, 8.0) the first stays. */
export class RegoSet {
  readonly kind = 'set';
  private readonly byKey = new Map<HashKey, RegoValue>();
  /** made when it is first asked for, and kept until the next insert */
  private sorted: RegoValue[] | null = null;

  constructor(items?: Iterable<RegoValue>) {
    if (items !== undefined) for (const item of items) this.add(item);
  }

  get size(): number {
    return this.byKey.size;
  }

  /** in Rego's order; not to be changed */
  get items(): readonly RegoValue[] {
    return (this.sorted ??= [...this.byKey.values()].sort(compareValues));
  }

  /** in no order, for what does not depend on one */
  values(): IterableIterator<RegoValue> {
    return this.byKey.values();
  }

  /** the member that equals `value`, as it was written when it came in */
  get(value: RegoValue): RegoValue | undefined {
    return this.byKey.get(hashKey(value));
  }

  has(value: RegoValue): boolean {
    return this.byKey.has(hashKey(value));
  }

  /** Only while the set is made: whoever was given one does not change it. */
  add(value: RegoValue): this {
    const key = hashKey(value);
    if (!this.byKey.has(key)) {
      this.byKey.set(key, value);
      this.sorted = null;
    }
    return this;
  }

  equals(other: RegoSet): boolean {
    if (this.size !== other.size) return false;
    for (const key of this.byKey.keys()) if (!other.byKey.has(key)) return false;
    return true;
  }

  union(other: RegoSet): RegoSet {
    const result = this.copy();
    for (const [key, value] of other.byKey) if (!result.byKey.has(key)) result.byKey.set(key, value);
    return result;
  }

  intersection(other: RegoSet): RegoSet {
    return this.where((key) => other.byKey.has(key));
  }

  difference(other: RegoSet): RegoSet {
    return this.where((key) => !other.byKey.has(key));
  }

  copy(): RegoSet {
    return this.where(() => true);
  }

  private where(holds: (key: HashKey) => boolean): RegoSet {
    const result = new RegoSet();
    for (const [key, value] of this.byKey) if (holds(key)) result.byKey.set(key, value);
    return result;
  }
}
