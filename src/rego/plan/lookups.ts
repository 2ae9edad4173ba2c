import { isCollection, type Outside } from './absence/outside';
import { stepOf, type ValuePath } from './absence/paths';
import type { ObserveLookup } from './compile/observe';
import type { SourceLine } from './plan';
import type { RegoValue } from '../values/value';

/** A lookup in a value that came from outside, with what it found; `value` is undefined where it found nothing. */
export interface Lookup {
  at: SourceLine;
  path: ValuePath;
  value: RegoValue | undefined;
}

/** More are of no use to a person. */
const MOST_LOOKUPS = 10_000;

/** Collects the lookups of one evaluation, each place of each line once. */
export class Lookups {
  private readonly found = new Map<string, Lookup>();

  constructor(private readonly outside: Outside) {}

  readonly observe: ObserveLookup = (at, container, key, found) => {
    if (container === undefined || !isCollection(container) || this.found.size >= MOST_LOOKUPS) return;
    const parent = this.outside.find(container);
    if (parent === undefined) return;
    const path = [...parent, stepOf(key)];
    this.found.set(JSON.stringify([at.file, at.row, path]), { at, path, value: found });
  };

  /** Without the steps that only led to another lookup. */
  list(): Lookup[] {
    const passed = new Set<string>();
    for (const { path } of this.found.values()) {
      for (let length = 1; length < path.length; length++) passed.add(JSON.stringify(path.slice(0, length)));
    }
    return [...this.found.values()].filter(({ path }) => !passed.has(JSON.stringify(path)));
  }
}
