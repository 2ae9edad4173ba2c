import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { shortText } from '../../kernel/short-text';
import { closeName } from '../../platform/documents/close-name';
import type { RuleFault } from '../conditions/read-condition';

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

  function filled(item: JsonValue, at: string, within: readonly string[]): JsonValue {
    if (Array.isArray(item)) return item.map((each, index) => filled(each, `${at}/${index}`, within));
    if (!isJsonObject(item)) return item;
    if (item.inherited === true && Object.keys(item).length === 1) {
      if (inherited !== undefined) return inherited;
      faults.push({ pointer: at, sentence: 'expected extends beside inherited: there are no conditions to inherit' });
      return item;
    }
    if (typeof item.include === 'string' && Object.keys(item).length === 1) return included(item.include, at, within);
    // Only where conditions stand: an argument of a function may well have a key of this name.
    return Object.fromEntries(
      Object.entries(item).map(([key, each]) => [
        key,
        ['all', 'any', 'not'].includes(key) ? filled(each, `${at}/${escapePointer(key)}`, within) : each,
      ]),
    );
  }

  function included(name: string, at: string, within: readonly string[]): JsonValue {
    const fragment = Object.hasOwn(fragments, name) ? fragments[name] : undefined;
    if (fragment === undefined) {
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
    return filled(fragment, at, [...within, name]);
  }

  return { conditions: filled(conditions, pointer, []) as JsonObject, faults };
}
