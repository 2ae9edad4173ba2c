import type { JsonObject, JsonValue } from '../../kernel/json';
import { isJsonObject } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import { closeName } from '../../platform/documents/close-name';
import type { RuleFault } from '../conditions/read-condition';
import type { PolicyDocument } from '../document/rule-policy';
import { RULE_LIMITS } from '../limits';
import { withIncludes, type Fragments } from './includes';
import { argumentFaults, declarationFaults, fillIn } from './parameters';

/** The effective document of a policy, as if everything had been written in its own: nothing to extend, include or fill in. */
export interface ResolvedDocument {
  document: PolicyDocument;
  /** every fault on the way; with one the document may still hold what could not be filled in */
  faults: RuleFault[];
  /** the policies that it extends, the nearest first */
  ancestors: string[];
}

/** Keys that belong to a policy itself, whatever it extends. */
const OWN_KEYS = ['name', 'template', 'extends', 'arguments', 'parameters'] as const;

/**
 * The effective document of `name`. A policy keeps the parts of the one that it extends, unless it has its own: of `scope` and
 * of an action's settings each key counts by itself (RFC 7396), `conditions` are replaced as a whole, and may hold the old ones
 * as `{ "inherited": true }`.
 *
 * @param documents by name; `name` is among them
 * @param given arguments of the policy's own parameters, by whoever creates it
 */
export function resolveDocument(
  name: string,
  documents: ReadonlyMap<string, PolicyDocument>,
  fragments: Fragments,
  given: JsonObject = {},
): ResolvedDocument {
  const faults: RuleFault[] = [];
  const ancestors: string[] = [];

  function inheritedBy(document: PolicyDocument, within: readonly string[]): JsonObject {
    const parent = document.extends;
    if (parent === undefined) {
      if (document.arguments !== undefined) {
        faults.push({
          pointer: '/arguments',
          sentence: 'expected extends beside arguments: they are for its parameters',
        });
      }
      return {};
    }
    const found = documents.get(parent);
    if (found === undefined) {
      const close = closeName(parent, [...documents.keys()]);
      const hint = close === undefined ? '' : `; did you mean ${close}?`;
      faults.push({ pointer: '/extends', sentence: `no policy is named ${shortText(parent, 80)}${hint}` });
      return {};
    }
    if (within.includes(parent)) {
      faults.push({ pointer: '/extends', sentence: `policies extend one another: ${[...within, parent].join(' → ')}` });
      return {};
    }
    if (within.length > RULE_LIMITS.ancestors) {
      faults.push({
        pointer: '/extends',
        sentence: `expected at most ${RULE_LIMITS.ancestors} policies that extend one another, got more`,
      });
      return {};
    }
    ancestors.push(parent);
    return effective(found, (document.arguments ?? {}) as JsonObject, '/arguments', [...within, parent]);
  }

  function effective(
    document: PolicyDocument,
    args: JsonObject,
    argsAt: string,
    within: readonly string[],
  ): JsonObject {
    const parameters = document.parameters ?? {};
    const parent = inheritedBy(document, within);
    faults.push(...declarationFaults(parameters, '/parameters'), ...argumentFaults(parameters, args, argsAt));
    const own = withoutKeys(document as JsonObject, OWN_KEYS);
    if (document.conditions !== undefined) {
      const includes = withIncludes(
        document.conditions,
        '/conditions',
        fragments,
        parent.conditions as JsonObject | undefined,
      );
      faults.push(...includes.faults);
      own.conditions = includes.conditions;
    }
    // What is inherited is filled in too: an argument given to the parent may hold a parameter of this policy.
    const filled = fillIn(merged(parent, own), '', parameters, args);
    faults.push(...filled.faults);
    return filled.value as JsonObject;
  }

  const document = documents.get(name);
  if (document === undefined) throw new TypeError(`no policy is named ${name}`);
  const result = { name, ...effective(document, given, '/arguments', [name]) } as unknown as PolicyDocument;
  if (document.template === true) result.template = true;
  return { document: result, faults, ancestors };
}

function merged(parent: JsonObject, own: JsonObject): JsonObject {
  const result: JsonObject = { ...parent, ...own };
  for (const key of ['scope', 'actions']) {
    if (isJsonObject(parent[key]) && isJsonObject(own[key])) result[key] = mergePatch(parent[key], own[key]);
  }
  return result;
}

/** RFC 7396: a null takes a key away. */
function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = isJsonObject(value) ? mergePatch(asObject(result[key]), value) : value;
  }
  return result;
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function withoutKeys(document: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
}
