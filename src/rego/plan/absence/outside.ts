import { hashKey, type HashKey } from '../../values/hash-key';
import { isNumber } from '../../values/number';
import { isObject, isSet, type RegoValue } from '../../values/value';
import { stepOf, type ValuePath } from './paths';

/** Where the collections of one document are, and which scalars it holds. Made when it is first asked for. */
export class DocumentIndex {
  private collections: Map<object, { parent: object | undefined; step: string }> | undefined;
  private scalars: Set<HashKey> | undefined;

  /** @param root the word its paths begin with */
  constructor(
    private readonly root: 'input' | 'data',
    private readonly document: RegoValue | undefined,
  ) {}

  find(value: object): ValuePath | undefined {
    const { collections } = this.indexed();
    const path: string[] = [];
    let at = collections.get(value);
    while (at !== undefined) {
      path.push(at.step);
      at = at.parent === undefined ? undefined : collections.get(at.parent);
    }
    return path.length === 0 ? undefined : path.reverse();
  }

  holds(scalar: RegoValue): boolean {
    return this.indexed().scalars.has(hashKey(scalar));
  }

  private indexed() {
    if (this.collections === undefined || this.scalars === undefined) {
      this.collections = new Map();
      this.scalars = new Set();
      if (this.document !== undefined) this.index();
    }
    return { collections: this.collections, scalars: this.scalars };
  }

  /** Not by recursion: a document may be deeper than the stack. */
  private index(): void {
    const waiting: { value: RegoValue; parent: object | undefined; step: string }[] = [
      { value: this.document!, parent: undefined, step: this.root },
    ];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { value, parent, step } = next;
      if (!isCollection(value)) {
        this.scalars!.add(hashKey(value));
        continue;
      }
      if (this.collections!.has(value)) continue;
      this.collections!.set(value, { parent, step });
      for (const [key, item] of entriesOf(value)) waiting.push({ value: item, parent: value, step: stepOf(key) });
    }
  }
}

/** What came from outside, in one evaluation: its input and the release's data. */
export class Outside {
  constructor(
    private readonly input: DocumentIndex,
    private readonly data: DocumentIndex,
  ) {}

  find(value: RegoValue): ValuePath | undefined {
    return isCollection(value) ? (this.input.find(value) ?? this.data.find(value)) : undefined;
  }

  /** Whether the value came from outside; of a scalar, whether one like it did. */
  has(value: RegoValue): boolean {
    if (isCollection(value)) return this.find(value) !== undefined;
    return this.input.holds(value) || this.data.holds(value);
  }
}

export function isCollection(
  value: RegoValue | undefined,
): value is Exclude<RegoValue, null | boolean | string | number> {
  return typeof value === 'object' && value !== null && !isNumber(value);
}

function* entriesOf(value: RegoValue): Iterable<readonly [RegoValue, RegoValue]> {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield [index, item];
  else if (isObject(value)) for (const key of value.keys) yield [key, value.get(key)!];
  else if (isSet(value)) for (const item of value.values()) yield [item, item];
}
