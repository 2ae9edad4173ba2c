import type { TSchema } from '../../platform/documents/typebox';
import { collectingNow } from '../../kernel/collect-faults';
import { faultsToError, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { parseTime } from '../../kernel/time';
import { closeName } from '../../platform/documents/close-name';
import { describeKind } from '../../platform/documents/json-document';
import { faultAt, placeBelow, validate, type DocumentPlace } from '../../platform/documents/validate';
import type { Fragments } from '../composition/includes';
import { resolveDocument } from '../composition/resolve';
import { parseMetricPath } from '../conditions/metric-path';
import { asCondition, conditionFaults, type RuleFault } from '../conditions/read-condition';
import { metricPrefixes, type RuleDomain } from '../domain';
import { RULE_LIMITS } from '../limits';
import { dependencyFaults } from './dependencies';
import {
  FragmentsDocumentSchema,
  PolicyDocumentSchema,
  toAction,
  type Enumerations,
  type PolicyDocument,
  type RulePolicy,
} from './rule-policy';
import { triggerFaults } from './trigger';

/** A document that may hold a policy, several of them, or fragments. */
export interface RuleSource {
  where: DocumentPlace;
  document: JsonValue;
}

/** The policies of a folder, a file or a store: those that can be evaluated, and all as they were written. */
export interface PolicySet {
  /** without templates; the higher priority first, then by name */
  policies: readonly RulePolicy[];
  /** as written, by name, templates too */
  documents: ReadonlyMap<string, PolicyDocument>;
  fragments: Fragments;
  enumerations: Enumerations;
  /** where each policy was found, by name */
  places: ReadonlyMap<string, DocumentPlace>;
}

interface PlacedPolicy {
  document: PolicyDocument;
  where: DocumentPlace;
  /** keys that were left out for their faults, which have been told */
  dropped: readonly string[];
}

/**
 * The policies of all sources together: they may extend, include and depend on one another whatever file they are in.
 *
 * @throws GateError ConfigInvalid with every fault of every source
 */
export function readPolicies(sources: readonly RuleSource[], domain: RuleDomain): PolicySet {
  const faults: Fault[] = [];
  const placed = new Map<string, PlacedPolicy>();
  const fragments: Record<string, JsonObject> = {};
  const enumerations: Record<string, readonly JsonValue[]> = {};
  for (const { where, document } of sources.flatMap(parts)) {
    if (isFragments(document)) {
      collectingNow(faults, () => {
        const read = validate<{ fragments?: Fragments; enumerations?: Enumerations }>(
          FragmentsDocumentSchema,
          document,
          where,
        );
        for (const [metric, cases] of Object.entries(read.enumerations ?? {})) {
          const at = `/enumerations/${escapePointer(metric)}`;
          if (parseMetricPath(metric) === undefined) faults.push(faultAt(where, at, `${metric} is not a metric`));
          else if (Object.hasOwn(enumerations, metric)) faults.push(faultAt(where, at, `${metric} is declared twice`));
          else enumerations[metric] = cases;
        }
        for (const [name, condition] of Object.entries(read.fragments ?? {})) {
          if (!Object.hasOwn(fragments, name)) fragments[name] = condition;
          else
            faults.push(faultAt(where, `/fragments/${escapePointer(name)}`, `the fragment ${name} is defined twice`));
        }
      });
      continue;
    }
    const { document: read, faults: found, dropped } = readShape(document, where);
    faults.push(...found);
    if (read === undefined) continue;
    const first = placed.get(read.name);
    if (first === undefined) placed.set(read.name, { document: read, where, dropped });
    else faults.push(faultAt(where, '/name', `the policy ${read.name} is defined twice, in ${first.where.file} too`));
  }
  const documents = new Map([...placed].map(([name, { document }]) => [name, document]));
  const policies: RulePolicy[] = [];
  const depending: Pick<RulePolicy, 'name' | 'dependsOn'>[] = [];
  for (const [name, { document, where, dropped }] of placed) {
    const isTold = ({ pointer, sentence }: RuleFault) =>
      dropped.some(
        (key) => pointer === `/${key}` || sentence === missingKey(key) || sentence.startsWith(`${missingKey(key)},`),
      );
    const say = (found: readonly RuleFault[]) =>
      faults.push(
        ...found.filter((fault) => !isTold(fault)).map(({ pointer, sentence }) => faultAt(where, pointer, sentence)),
      );
    const resolved = resolveDocument(name, documents, fragments);
    if (document.template === true) {
      // What it lacks its children give; what stands in it must be right.
      say(resolved.faults.filter(({ sentence }) => !sentence.endsWith('is not given')));
      continue;
    }
    say(resolved.faults);
    depending.push({ name, dependsOn: resolved.document.dependsOn ?? [] });
    if (resolved.faults.length > 0) continue;
    const { policy, faults: found } = toPolicy(resolved.document, domain);
    say(found);
    if (policy !== undefined) policies.push(policy);
  }
  for (const { name, fault } of dependencyFaults(depending)) {
    faults.push(faultAt(placed.get(name)!.where, '/dependsOn', fault));
  }
  if (faults.length > 0) throw faultsToError(faults);
  const places = new Map([...placed].map(([name, { where }]) => [name, where]));
  return { policies: policies.sort(inOrder), documents, fragments, enumerations, places };
}

/** Whether a document holds no policy, but what policies share. */
export function isFragments(document: JsonValue): boolean {
  return isJsonObject(document) && ['fragments', 'enumerations'].some((key) => Object.hasOwn(document, key));
}

/**
 * The shape of a document. One with faults is read without the keys that have them, so that what else is wrong with it is told
 * too; undefined where not even a name is left.
 */
function readShape(
  document: JsonValue,
  where: DocumentPlace,
): { document?: PolicyDocument; faults: readonly Fault[]; dropped: string[] } {
  const size = JSON.stringify(document).length;
  if (size > RULE_LIMITS.documentChars) {
    const sentence = `expected a policy of at most ${RULE_LIMITS.documentChars} characters, got ${size}`;
    return { faults: [faultAt(where, '', sentence)], dropped: [] };
  }
  try {
    return { document: validate<PolicyDocument>(PolicyDocumentSchema, document, where), faults: [], dropped: [] };
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const { faults } = error;
    if (!isJsonObject(document) || typeof document.name !== 'string') return { faults, dropped: [] };
    const isGood = (key: string, value: JsonValue) => {
      const schema = (PolicyDocumentSchema.properties as Record<string, TSchema | undefined>)[key];
      if (schema === undefined) return false;
      const found: Fault[] = [];
      collectingNow(found, () => void validate(schema, value, where));
      return found.length === 0;
    };
    const good = Object.entries(document).filter(([key, value]) => isGood(key, value));
    const kept = Object.fromEntries(good);
    const dropped = Object.keys(document).filter((key) => !Object.hasOwn(kept, key));
    return typeof kept.name === 'string'
      ? { document: kept as unknown as PolicyDocument, faults, dropped }
      : { faults, dropped };
  }
}

function missingKey(key: string): string {
  return `expected the key ${key}`;
}

/** The higher priority first, then by name. */
export function inOrder(one: RulePolicy, other: RulePolicy): number {
  return other.priority - one.priority || (one.name < other.name ? -1 : 1);
}

/** A policy from its effective document, with every fault of its conditions and actions. */
export function toPolicy(document: PolicyDocument, domain: RuleDomain): { policy?: RulePolicy; faults: RuleFault[] } {
  const faults: RuleFault[] = [
    ...typeFaults(document, domain),
    ...conditionFaults(document.conditions, '/conditions', domain.functions, metricPrefixes(domain)),
    ...timeFaults(document),
    ...triggerFaults(document.trigger),
  ];
  if (faults.length > 0) return { faults };
  const { name, version = '1.0', description, type, priority = 0, enabled = true, scope = {} } = document;
  const { effectiveFrom, effectiveUntil, trigger, dependsOn = [] } = document;
  const policy: RulePolicy = {
    name,
    version,
    ...(description === undefined ? {} : { description }),
    type: type!,
    priority,
    enabled,
    scope,
    dependsOn,
    conditions: asCondition(document.conditions!),
    actions: actionsOf(document).map(toAction),
    ...(effectiveFrom === undefined ? {} : { effectiveFromMs: parseTime(effectiveFrom)! }),
    ...(effectiveUntil === undefined ? {} : { effectiveUntilMs: parseTime(effectiveUntil)! }),
    ...(trigger === undefined ? {} : { trigger }),
  };
  return { policy, faults: [] };
}

function typeFaults(document: PolicyDocument, { types, operations }: RuleDomain): RuleFault[] {
  const { type, scope, actions } = document;
  const faults: RuleFault[] = [];
  const known = [...types.keys()];
  if (type === undefined) {
    return [{ pointer: '', sentence: `expected the key type, one of ${known.join(', ')}, but it is missing` }];
  }
  const policyType = types.get(type);
  if (policyType === undefined) {
    const close = closeName(type, known);
    const hint = close === undefined ? '' : ` (did you mean ${close}?)`;
    return [{ pointer: '/type', sentence: `expected one of ${known.join(', ')}${hint}, got ${JSON.stringify(type)}` }];
  }
  if (scope?.operation !== undefined && !policyType.operations.includes(scope.operation)) {
    const all = Object.keys(operations);
    const why = all.includes(scope.operation) ? `an operation of ${type}` : 'an operation';
    faults.push({
      pointer: '/scope/operation',
      sentence: `expected ${why}, one of ${policyType.operations.join(', ')}, got ${JSON.stringify(scope.operation)}`,
    });
  }
  if (actions === undefined) {
    faults.push({ pointer: '', sentence: 'expected the key actions, but it is missing' });
    return faults;
  }
  const list = actionsOf(document);
  if (list.length === 0)
    faults.push({ pointer: '/actions', sentence: 'expected at least one action, got an empty list' });
  list.forEach((action, index) => {
    const at = Array.isArray(actions) ? `/actions/${index}` : '/actions';
    const names = Object.keys(action);
    if (names.length !== 1) {
      faults.push({ pointer: at, sentence: `expected an action with one key, got ${describeKind(action)}` });
      return;
    }
    const [name = ''] = names;
    const schema = Object.hasOwn(policyType.actions, name) ? policyType.actions[name] : undefined;
    if (schema === undefined) {
      const possible = Object.keys(policyType.actions);
      const close = closeName(name, possible);
      const hint = close === undefined ? `known to ${type} are ${possible.join(', ')}` : `did you mean ${close}?`;
      faults.push({ pointer: `${at}/${escapePointer(name)}`, sentence: `unknown action ${name}; ${hint}` });
      return;
    }
    try {
      validate(schema, action[name]!, { file: '' });
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      // The place is the caller's to say.
      for (const { message } of error.faults) {
        faults.push({
          pointer: `${at}/${escapePointer(name)}`,
          sentence: message.replace(/^: /, '').replaceAll('the document', name),
        });
      }
    }
  });
  return faults;
}

function timeFaults({ effectiveFrom, effectiveUntil }: PolicyDocument): RuleFault[] {
  const faults: RuleFault[] = [];
  for (const [key, text] of Object.entries({ effectiveFrom, effectiveUntil })) {
    if (text === undefined || parseTime(text) !== undefined) continue;
    faults.push({
      pointer: `/${key}`,
      sentence: `expected an RFC 3339 time such as 2026-11-26T10:00:00Z, got ${JSON.stringify(text)}`,
    });
  }
  const [from, until] = [parseTime(effectiveFrom), parseTime(effectiveUntil)];
  if (from !== undefined && until !== undefined && from >= until) {
    faults.push({ pointer: '/effectiveUntil', sentence: 'expected a time after effectiveFrom' });
  }
  return faults;
}

function actionsOf({ actions = [] }: PolicyDocument): JsonObject[] {
  return Array.isArray(actions) ? actions : [actions];
}

/** The documents of one source: itself, or the items of a list. */
function parts({ where, document }: RuleSource): RuleSource[] {
  if (!Array.isArray(document)) return [{ where, document }];
  return document.map((item, index) => ({ document: item, where: placeBelow(where, `/${index}`) }));
}
