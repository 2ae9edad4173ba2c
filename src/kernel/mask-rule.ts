import type { JsonValue } from './json';
import { parsePointer } from './json-pointer';

/** A JSON Pointer whose value becomes null, or one whose value is replaced. */
export type MaskRule = string | { path: string; value: JsonValue };

/** Parts of `input.deployment` that hold a user's values; the others are the key of a record. */
export const DEPLOYMENT_PARTS: readonly string[] = ['attributes', 'stage_attributes'];

/** The pointer of a rule. */
export const pathOf = (rule: MaskRule): string => (typeof rule === 'string' ? rule : rule.path);

/** Why a pointer of the settings masks nothing that can be masked; undefined when it is fit. */
export function maskPathFault(pointer: string): string | undefined {
  const keys = parsePointer(pointer);
  if (keys?.[0] !== 'input') return `Expected a JSON Pointer below /input, found ${JSON.stringify(pointer)}`;
  const [, first, second] = keys;
  const isKept = first === 'decision_time' || (first === 'deployment' && second !== undefined);
  if (!isKept || DEPLOYMENT_PARTS.includes(second ?? '')) return undefined;
  return `Expected a fact or an attribute, found ${pointer}, which names the decision and cannot be masked`;
}
