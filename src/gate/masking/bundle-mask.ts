import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { parsePointer } from '../../kernel/json-pointer';
import { MASK_ALL } from './mask';
import { maskPathFault, type MaskRule } from '../../kernel/mask-rule';

/** What OPA's mask policy sees as `input`: the decision's event, the policy's own input below `input`. */
export function maskEvent(decision: {
  decisionId: string;
  entrypoint: string;
  decisionTimeMs: number;
  input: JsonObject;
  revision: string;
  /** absent when no decision was made */
  result?: JsonValue;
}): JsonObject {
  const { decisionId, entrypoint, decisionTimeMs, input, revision, result } = decision;
  return {
    decision_id: decisionId,
    path: entrypoint,
    input,
    ...(result === undefined ? {} : { result }),
    timestamp: new Date(decisionTimeMs).toISOString(),
    bundles: { gate: { revision } },
    labels: { app: 'planning-engine' },
  };
}

/**
 * The rules that `data.system.log.mask` gave: pointers, or objects `{op: "remove" | "upsert", path, value}`. Pointers
 * lead to facts and attributes below /input, or below /result or /nd_builtin_cache (which does not exist here).
 *
 * @returns everything, with `isFit` false, when the answer has another shape: nothing may be shown then
 */
export function toMaskRules(response: JsonValue | undefined): { rules: readonly MaskRule[]; isFit: boolean } {
  if (response === undefined) return { rules: [], isFit: true };
  const rules = Array.isArray(response) ? response.map(toRule) : [undefined];
  const fit = rules.filter((rule) => rule !== undefined);
  if (fit.length < rules.length) return { rules: MASK_ALL, isFit: false };
  return { rules: fit, isFit: true };
}

/** One to the decision's id or time would leave in the clear what somebody wants hidden. */
function isFitPointer(pointer: string): boolean {
  const root = parsePointer(pointer)?.[0];
  return root === 'input' ? maskPathFault(pointer) === undefined : ROOTS.includes(root ?? '');
}

const ROOTS: readonly string[] = ['result', 'nd_builtin_cache'];

function toRule(value: JsonValue): MaskRule | undefined {
  if (typeof value === 'string') return isFitPointer(value) ? value : undefined;
  if (!isJsonObject(value) || typeof value.path !== 'string' || toRule(value.path) === undefined) return undefined;
  if (value.op === 'remove') return value.path;
  return value.op === 'upsert' ? { path: value.path, value: value.value ?? null } : undefined;
}
