import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { shortText } from '../../kernel/short-text';
import { closeName } from '../../platform/documents/close-name';
import type { RuleFault } from '../conditions/read-condition';
import { RULE_LIMITS } from '../limits';

/** Named conditions, by name. */
export type Fragments = Readonly<Record<string, JsonObject>>;

/**
 * Conditions with every `{ "include": NAME }` replaced by its fragment, those of fragments too. `{ "inherited": true }` stands
 * for the conditions of the policy that is extended.
 *
 * @param pointer of `conditions` in their document
 * @param inherited undefined where nothing is extended
 */
export function withIncludes(
  conditions: JsonObject,
  pointer: string,
  fragments: Fragments,
  inherited?: JsonObject,
): { conditions: JsonObject; faults: RuleFault[] } {
  const faults: RuleFault[] = [];
  let included = 0;

  function filled(item: JsonValue, at: string, within: readonly string[]): JsonValue {
    if (Array.isArray(item)) return item.map((each, index) => filled(each, `${at}/${index}`, within));
    if (!isJsonObject(item)) return item;
    if (item.inherited === true && Object.keys(item).length === 1) {
      if (inherited !== undefined) return inherited;
      faults.push({ pointer: at, sentence: 'expected extends beside inherited: there are no conditions to inherit' });
      return item;
    }
    if (typeof item.include === 'string' && Object.keys(item).length === 1) return fragment(item.include, at, within);
    // Only where conditions stand: an argument of a function may well have a key of this name.
    return Object.fromEntries(
      Object.entries(item).map(([key, each]) => [
        key,
        ['all', 'any', 'not'].includes(key) ? filled(each, `${at}/${escapePointer(key)}`, within) : each,
      ]),
    );
  }

  function fragment(name: string, at: string, within: readonly string[]): JsonValue {
    const found = Object.hasOwn(fragments, name) ? fragments[name] : undefined;
    if (found === undefined) {
      const close = closeName(name, Object.keys(fragments));
      const hint =
        close === undefined ? `known are ${Object.keys(fragments).join(', ') || 'none'}` : `did you mean ${close}?`;
      faults.push({ pointer: at, sentence: `unknown fragment ${shortText(name, 80)}; ${hint}` });
      return { include: name };
    }
    if (within.includes(name)) {
      faults.push({ pointer: at, sentence: `fragments include one another: ${[...within, name].join(' → ')}` });
      return { include: name };
    }
    if (within.length >= RULE_LIMITS.ancestors) {
      faults.push({
        pointer: at,
        sentence: `expected fragments at most ${RULE_LIMITS.ancestors} in one another, got more`,
      });
      return { include: name };
    }
    // Fragments that include others twice double with each: more than a policy may have are never built.
    included += 1;
    if (included === RULE_LIMITS.conditions + 1) {
      faults.push({
        pointer: at,
        sentence: `expected at most ${RULE_LIMITS.conditions} includes in a policy, got more`,
      });
    }
    if (included > RULE_LIMITS.conditions) return { include: name };
    return filled(found, at, [...within, name]);
  }

  return { conditions: filled(conditions, pointer, []) as JsonObject, faults };
}
