import type { RegoValue } from '../../values/value';
import { stepOf, type ValuePath } from './paths';

/** A step of an origin: a key that the plan names, or the slot of a frame that holds it. */
export type OriginKey = { text: string } | { slot: number };

/** Where the value of a local comes from, as far as the plan of one function tells. */
export type Origin =
  | { kind: 'root'; root: 'input' | 'data' }
  /** @property isDirect the local is a step of a reference, not a variable that was assigned one */
  | { kind: 'step'; of: Origin; key: OriginKey; isDirect: boolean }
  | { kind: 'rule'; path: readonly string[] };

/** The root that an origin leads to through steps alone. */
export function rootOf(origin: Origin | undefined): 'input' | 'data' | undefined {
  let at = origin;
  while (at?.kind === 'step') at = at.of;
  return at?.kind === 'root' ? at.root : undefined;
}

/** Whether a reference into base documents is being read: its steps find what a path of texts finds. */
export function isDataReference(origin: Origin | undefined): boolean {
  if (origin?.kind === 'root') return origin.root === 'data';
  return origin?.kind === 'step' && origin.isDirect && rootOf(origin) === 'data';
}

export function assigned(origin: Origin | undefined): Origin | undefined {
  return origin?.kind === 'step' ? { ...origin, isDirect: false } : origin;
}

/** The path that an origin has in this frame, or undefined where one of its keys is no more. */
export function pathOf(origin: Origin, frame: readonly (RegoValue | undefined)[]): ValuePath | undefined {
  if (origin.kind === 'root') return [origin.root];
  if (origin.kind === 'rule') return ['data', ...origin.path];
  const parent = pathOf(origin.of, frame);
  const step = stepIn(origin.key, frame);
  return parent === undefined || step === undefined ? undefined : [...parent, step];
}

export function stepIn(key: OriginKey, frame: readonly (RegoValue | undefined)[]): string | undefined {
  if ('text' in key) return key.text;
  const value = frame[key.slot];
  return value === undefined ? undefined : stepOf(value);
}
