import { faultsToError, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { parseTime } from '../../kernel/time';
import { closeName } from '../../platform/documents/close-name';
import { describeKind } from '../../platform/documents/json-document';
import { faultAt, validate, type DocumentPlace } from '../../platform/documents/validate';
import type { Fragments } from '../composition/includes';
import { resolveDocument } from '../composition/resolve';
import { metricsRead } from '../conditions/metrics-read';
import { parseMetricPath } from '../conditions/metric-path';
import { asCondition, conditionFaults, type RuleFault } from '../conditions/read-condition';
import type { RuleDomain } from '../domain';
import { dependencyFaults } from './dependencies';
import {
  FragmentsDocumentSchema,
  PolicyDocumentSchema,
  toAction,
  type PolicyDocument,
  type RulePolicy,
} from './rule-policy';

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
}

interface PlacedPolicy {
  document: PolicyDocument;
  where: DocumentPlace;
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
  for (const { where, document } of sources.flatMap(parts)) {
    collecting(faults, () => {
      if (isJsonObject(document) && Object.hasOwn(document, 'fragments')) {
        const read = validate<{ fragments: Fragments }>(FragmentsDocumentSchema, document, where);
        for (const [name, condition] of Object.entries(read.fragments)) {
          if (!Object.hasOwn(fragments, name)) fragments[name] = condition;
          else
            faults.push(faultAt(where, `/fragments/${escapePointer(name)}`, `the fragment ${name} is defined twice`));
        }
        return;
      }
      const read = validate<PolicyDocument>(PolicyDocumentSchema, document, where);
      const first = placed.get(read.name);
      if (first === undefined) placed.set(read.name, { document: read, where });
      else faults.push(faultAt(where, '/name', `the policy ${read.name} is defined twice, in ${first.where.file} too`));
    });
  }
  const documents = new Map([...placed].map(([name, { document }]) => [name, document]));
  const policies: { policy: RulePolicy; where: DocumentPlace }[] = [];
  for (const [name, { document, where }] of placed) {
    const say = (found: readonly RuleFault[]) =>
      faults.push(...found.map(({ pointer, sentence }) => faultAt(where, pointer, sentence)));
    const resolved = resolveDocument(name, documents, fragments);
    if (document.template === true) {
      // What it lacks its children give; what stands in it must be right.
      say(resolved.faults.filter(({ sentence }) => !sentence.endsWith('is not given')));
      continue;
    }
    say(resolved.faults);
    if (resolved.faults.length > 0) continue;
    const { policy, faults: found } = toPolicy(resolved.document, domain);
    say(found);
    if (policy !== undefined) policies.push({ policy, where });
  }
  for (const { name, fault } of dependencyFaults(policies.map(({ policy }) => policy))) {
    faults.push(faultAt(placed.get(name)!.where, '/dependsOn', fault));
  }
  if (faults.length > 0) throw faultsToError(faults);
  return { policies: policies.map(({ policy }) => policy).sort(inOrder), documents, fragments };
}

/** The higher priority first, then by name. */
export function inOrder(one: RulePolicy, other: RulePolicy): number {
  return other.priority - one.priority || (one.name < other.name ? -1 : 1);
}

/** A policy from its effective document, with every fault of its conditions and actions. */
export function toPolicy(document: PolicyDocument, domain: RuleDomain): { policy?: RulePolicy; faults: RuleFault[] } {
  const faults: RuleFault[] = [
    ...typeFaults(document, domain),
    ...conditionFaults(document.conditions, '/conditions', domain.functions),
    ...timeFaults(document),
  ];
  if (faults.length === 0) faults.push(...prefixFaults(document.conditions!, domain));
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

function prefixFaults(conditions: JsonObject, { functions, prefixes }: RuleDomain): RuleFault[] {
  const known = [prefixes.subject, prefixes.candidate, ...prefixes.others];
  return metricsRead(asCondition(conditions), functions).flatMap((metric) => {
    const [first = ''] = parseMetricPath(metric)!;
    if (known.includes(first)) return [];
    const close = closeName(first, known);
    const hint = close === undefined ? '' : `; did you mean ${close}?`;
    return [{ pointer: '/conditions', sentence: `expected a metric of ${known.join(', ')}, got ${metric}${hint}` }];
  });
}

function actionsOf({ actions = [] }: PolicyDocument): JsonObject[] {
  return Array.isArray(actions) ? actions : [actions];
}

/** The documents of one source: itself, or the items of a list. */
function parts({ where, document }: RuleSource): RuleSource[] {
  if (!Array.isArray(document)) return [{ where, document }];
  return document.map((item, index) => ({
    document: item,
    where: {
      file: where.file,
      lineOf: (pointer) => where.lineOf?.(`/${index}${pointer}`),
      columnOf: (pointer) => where.columnOf?.(`/${index}${pointer}`),
    },
  }));
}

function collecting(faults: Fault[], read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    faults.push(...error.faults);
  }
}
