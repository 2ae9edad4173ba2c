import { ExactNumber } from '../values/number';
import type { RegoValue } from '../values/value';
import { isLargeInteger } from './large-integers';
import type { SourceLine } from './plan';

/**
 * Why the compiled wasm module has no vote: what it is known to answer in another way than OPA (docs/built-ins.md).
 */
export type DoubtReason =
  | 'fraction'
  | 'zero-by-zero'
  | 'large-integer'
  | 'unordered-list'
  | 'walk'
  | 'number-key'
  | 'empty-replacement'
  | 'base64'
  | 'json-validity';

export interface Doubt {
  reason: DoubtReason;
  /** of the first statement that gave it; absent where it is the input or the data */
  at?: SourceLine;
}

/** The doubts of one evaluation, each reason once. */
export class Doubts {
  private found: Map<DoubtReason, SourceLine | undefined> | undefined;

  add(reason: DoubtReason, at?: SourceLine): void {
    this.found ??= new Map();
    if (!this.found.has(reason)) this.found.set(reason, at);
  }

  list(): Doubt[] {
    return [...(this.found ?? [])].map(([reason, at]) => ({ reason, ...(at === undefined ? {} : { at }) }));
  }

  /** A number that the module may not compute with as OPA does. */
  number(value: RegoValue | undefined, at: SourceLine): void {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) this.add(Number.isInteger(value) ? 'large-integer' : 'fraction', at);
    } else if (value instanceof ExactNumber) {
      this.add(isFraction(value.text) ? 'fraction' : 'large-integer', at);
    }
  }

  /** A number that is only handed on: a fraction is, as it is written. */
  largeInteger(value: RegoValue | undefined, at?: SourceLine): void {
    if (value !== undefined && isLargeInteger(value)) this.add('large-integer', at);
  }
}

const isFraction = (text: string): boolean => /[.e]/i.test(text);
