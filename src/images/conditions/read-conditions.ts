import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { closeName } from '../../platform/documents/close-name';
import { describeKind } from '../../platform/documents/json-document';
import { IMAGE_POLICY_LIMITS } from '../limits';
import type { PointedFault } from '../pointed-fault';
import { ConditionType, ImageOperator, type ImageCondition } from './image-condition';

const KEYS = ['type', 'key', 'operator', 'value', 'logical_op', 'description'];
const JOINTS = ['all', 'any', 'not'] as const;

/**
 * The conditions of a policy from its document: their shape and limits. What they compare with is checked when they are compiled.
 *
 * @param ownTypes names of condition types of a program's own
 */
export function readConditions(
  document: JsonValue,
  ownTypes: ReadonlySet<string> = new Set(),
): { conditions: readonly ImageCondition[]; faults: readonly PointedFault[] } {
  const faults: PointedFault[] = [];
  const say = (pointer: string, sentence: string) => void faults.push({ pointer, sentence });
  const types = [...Object.values(ConditionType), ...ownTypes];
  let count = 0;

  function check(condition: JsonValue, pointer: string, depth: number): void {
    count += 1;
    if (count > IMAGE_POLICY_LIMITS.conditions) {
      if (count === IMAGE_POLICY_LIMITS.conditions + 1)
        say(pointer, `expected at most ${IMAGE_POLICY_LIMITS.conditions} conditions in a policy, got more`);
      return;
    }
    if (depth > IMAGE_POLICY_LIMITS.depth)
      return say(pointer, `expected at most ${IMAGE_POLICY_LIMITS.depth} levels of conditions, got more`);
    if (!isJsonObject(condition)) return say(pointer, `expected a condition, got ${describeKind(condition)}`);
    const joint = JOINTS.find((each) => Object.hasOwn(condition, each));
    if (joint === undefined) return checkComparison(condition, pointer);
    checkKeys(condition, [joint], pointer);
    const inner = condition[joint]!;
    const at = `${pointer}/${joint}`;
    if (joint === 'not') return check(inner, at, depth + 1);
    if (!Array.isArray(inner) || inner.length === 0)
      return say(at, `expected a list of at least one condition, got ${describeKind(inner)}`);
    inner.forEach((each, index) => check(each, `${at}/${index}`, depth + 1));
  }

  function checkComparison(condition: JsonObject, pointer: string): void {
    checkKeys(condition, KEYS, pointer);
    checkName(condition, 'type', types, pointer);
    checkName(condition, 'operator', Object.values(ImageOperator), pointer);
    for (const key of ['key', 'description']) {
      const text = condition[key];
      if (text !== undefined && (typeof text !== 'string' || text === ''))
        say(`${pointer}/${key}`, `expected a text that is not empty, got ${describeKind(text)}`);
    }
    const { logical_op: joins, value } = condition;
    if (joins !== undefined && joins !== 'AND' && joins !== 'OR')
      say(`${pointer}/logical_op`, `expected AND or OR, got ${shown(joins)}`);
    const isText = value === undefined || typeof value === 'string';
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
    if (!isText && !isList)
      say(`${pointer}/value`, `expected a text or a list of texts, got ${describeKind(value)}; put it in quotes`);
    if (isList && value.length > IMAGE_POLICY_LIMITS.listItems)
      say(`${pointer}/value`, `expected at most ${IMAGE_POLICY_LIMITS.listItems} items, got ${value.length}`);
    const isPattern = condition.operator === 'matches' && typeof value === 'string';
    if (isPattern && value.length > IMAGE_POLICY_LIMITS.patternChars)
      say(`${pointer}/value`, `expected a pattern of at most ${IMAGE_POLICY_LIMITS.patternChars} characters`);
  }

  function checkKeys(condition: JsonObject, known: readonly string[], pointer: string): void {
    for (const key of Object.keys(condition)) {
      if (known.includes(key)) continue;
      const close = closeName(key, known);
      const hint = close === undefined ? `known are ${known.join(', ')}` : `did you mean ${close}?`;
      say(`${pointer}/${escapePointer(key)}`, `unknown key ${key} in a condition; ${hint}`);
    }
  }

  function checkName(condition: JsonObject, key: string, known: readonly string[], pointer: string): void {
    const name = condition[key];
    if (name === undefined) return say(pointer, `expected the key ${key}, one of ${known.join(', ')}`);
    if (typeof name === 'string' && known.includes(name)) return;
    const close = typeof name === 'string' ? closeName(name, known) : undefined;
    const hint = close === undefined ? '' : ` (did you mean ${close}?)`;
    say(`${pointer}/${key}`, `expected one of ${known.join(', ')}${hint}, got ${shown(name)}`);
  }

  if (!Array.isArray(document)) {
    say('', `expected a list of conditions, got ${describeKind(document)}`);
    return { conditions: [], faults };
  }
  document.forEach((condition, index) => check(condition, `/${index}`, 1));
  return { conditions: faults.length > 0 ? [] : (document as unknown as ImageCondition[]), faults };
}

function shown(value: JsonValue): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : describeKind(value);
}
