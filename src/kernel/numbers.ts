import { escapePointer } from './json-pointer';

/**
 * Whether a number means the same everywhere it goes: finite, and within ±(2^53 − 1) when it is a whole number. Beyond
 * that neighbouring whole numbers share one double, so a policy in WebAssembly would decide about another number than the
 * one that was written. 2^53 itself is refused: 2^53 + 1 becomes the same double.
 */
export function isSafeNumber(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

/** What is expected where `value`, which is not safe, was found; for messages. */
export function expectedNumber(value: number): string {
  return Number.isFinite(value) ? 'a whole number within ±(2^53 − 1)' : 'a finite number';
}

/** JSON Pointer of the first unsafe number in a JSON value, `''` for the value itself; undefined when all are safe. */
export function findUnsafeNumber(value: unknown, pointer = ''): string | undefined {
  if (typeof value === 'number') return isSafeNumber(value) ? undefined : pointer;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    const found = findUnsafeNumber(child, `${pointer}/${escapePointer(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
