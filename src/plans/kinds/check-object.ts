import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { atPointer, escapePointer } from '../../kernel/json-pointer';
import { closeName } from '../../platform/documents/close-name';
import { displayPath } from '../../platform/documents/json-document';
import { checkDocument, type SchemaFault } from '../../platform/documents/validate';
import { graphFaults } from '../graph/graph-faults';
import { API_VERSION, type PlanObject } from '../object';
import type { Binding } from './binding';
import { gateStatusFaults } from './gate-faults';
import type { Gate } from './gate';
import { KINDS, kindNamed, type Kind } from './kinds';
import type { Plan } from './plan';

/** An object as it may be stored, or everything that is wrong with it. */
export type CheckedObject =
  | { object: PlanObject; kind: Kind; faults: readonly [] }
  | { object?: undefined; kind?: Kind; faults: readonly SchemaFault[] };

export interface CheckOptions {
  /** the kind of the path that the object was sent to; another one in the body is a fault */
  expected?: Kind;
}

/**
 * Checks an object against its kind's schema and against what a schema cannot say, with every fault in one answer. Keys that
 * the schema does not know are kept, as PlanSpec's servers do.
 */
export function checkObject(value: JsonValue, { expected }: CheckOptions = {}): CheckedObject {
  if (!isJsonObject(value))
    return { faults: [{ pointer: '', sentence: 'expected an object with apiVersion and kind' }] };
  const kind = kindNamed(value.kind);
  if (kind === undefined) return { faults: [unknownKind(value), ...versionFaults(value)] };
  if (expected !== undefined && kind !== expected) {
    const sentence = `expected kind to be ${expected.kind}, as the path has it, got ${kind.kind}`;
    return { kind, faults: [{ pointer: '/kind', sentence }] };
  }
  const { document, faults } = checkDocument(kind.schema, value);
  if (faults.length > 0)
    return { kind, faults: [...faults.map((fault) => explained(fault, value)), ...partFaults(kind, value)] };
  const object = document as unknown as PlanObject;
  const found = furtherFaults(object);
  return found.length === 0 ? { object, kind, faults: [] } : { kind, faults: found };
}

/** `spec.graph.nodes[0].id: expected …`, as a server answers. */
export function faultSentence({ pointer, sentence }: SchemaFault): string {
  return `${displayPath(pointer)}: ${sentence}`;
}

function unknownKind({ kind }: JsonObject): SchemaFault {
  const known = KINDS.map((each) => each.kind);
  if (kind === undefined)
    return { pointer: '', sentence: 'expected the document to have the key kind, but it is missing' };
  const close = typeof kind === 'string' ? closeName(kind, known) : undefined;
  const hint = close === undefined ? '' : ` (did you mean ${close}?)`;
  const found = JSON.stringify(kind).slice(0, 80);
  return { pointer: '/kind', sentence: `expected kind to be one of ${known.join(', ')}${hint}, got ${found}` };
}

function versionFaults({ apiVersion }: JsonObject): SchemaFault[] {
  if (apiVersion === API_VERSION) return [];
  return [{ pointer: '/apiVersion', sentence: `expected apiVersion to be ${JSON.stringify(API_VERSION)}` }];
}

/** YAML reads `version: 1.10` as the number 1.1, so a number is no version; the sentence says what to write. */
function explained(fault: SchemaFault, value: JsonValue): SchemaFault {
  if (fault.pointer !== '/spec/version' || typeof atPointer(value, fault.pointer) !== 'number') return fault;
  return { ...fault, sentence: `${fault.sentence}; write it in quotes: version: "1.10"` };
}

/** The faults of a graph whose own schema holds are told beside those of the rest of the object. */
function partFaults(kind: Kind, value: JsonObject): SchemaFault[] {
  if (kind.kind !== 'Plan' || !isJsonObject(value.spec)) return [];
  const { graph } = value.spec;
  if (!isJsonObject(graph) || !Array.isArray(graph.nodes)) return [];
  const whole = {
    apiVersion: API_VERSION,
    kind: 'Plan',
    metadata: { name: 'a', namespace: 'a' },
    spec: { description: 'a', graph },
  };
  const { faults } = checkDocument(kind.schema, whole);
  return faults.length > 0 ? [] : graphFaults(graph as unknown as Plan['spec']['graph'], '/spec/graph');
}

function furtherFaults(object: PlanObject): SchemaFault[] {
  return [...nameFaults(object), ...kindFaults(object)];
}

/** The path of an object of this name is that of the watch over all: it could be written, and never be read. */
function nameFaults({ metadata }: PlanObject): SchemaFault[] {
  if (metadata.name !== 'watch') return [];
  return [{ pointer: '/metadata/name', sentence: 'expected another name than watch, which is a path of the server' }];
}

function kindFaults(object: PlanObject): SchemaFault[] {
  switch (object.kind) {
    case 'Plan':
      return planFaults(object as unknown as Plan);
    case 'Binding':
      return bindingFaults(object as unknown as Binding);
    case 'Gate':
      return gateStatusFaults(object as unknown as Gate);
    default:
      return [];
  }
}

function planFaults({ metadata, spec }: Plan): SchemaFault[] {
  const faults = graphFaults(spec.graph, '/spec/graph');
  spec.supersedes?.forEach(({ name, namespace }, index) => {
    if (name !== metadata.name || (namespace !== undefined && namespace !== metadata.namespace)) return;
    faults.push({
      pointer: `/spec/supersedes/${index}/name`,
      sentence: `expected the name of another plan, but ${name} is this plan itself`,
    });
  });
  return faults;
}

/** The shapes that a rule's selector may have (PlanSpec, Binding). */
const SELECTORS = ['planRef+nodeId', 'capabilityRef', 'capabilityRef+planRef', 'planRef', 'matchLabels'];

function bindingFaults({ spec }: Binding): SchemaFault[] {
  return spec.rules.flatMap(({ selector }, index) => {
    const shape = ['capabilityRef', 'planRef', 'nodeId', 'matchLabels']
      .filter((key) => Object.hasOwn(selector, key))
      .join('+');
    if (SELECTORS.includes(shape)) return [];
    const found = shape === '' ? 'none of them' : shape;
    return [
      {
        pointer: `/spec/rules/${index}/selector`,
        sentence: `expected one of ${SELECTORS.join(', ')}, got ${found}`,
      },
    ];
  });
}

/**
 * Keys of an object that its schema does not know, as `spec.graph.nodes[0].colour`: they are kept, and a client may ask to be
 * told of them. Free content (`inputs`, `parameters`, `config`) has no unknown keys.
 */
export function unknownFields({ schema }: Kind, value: JsonObject): string[] {
  const found: string[] = [];
  const walk = (at: JsonValue | undefined, pattern: JsonObject, pointer: string): void => {
    if (Array.isArray(at) && isJsonObject(pattern.items)) {
      const { items } = pattern;
      at.forEach((item, index) => walk(item, items, `${pointer}/${index}`));
    }
    if (!isJsonObject(at)) return;
    const { properties, additionalProperties } = pattern;
    for (const [key, child] of Object.entries(at)) {
      const below = `${pointer}/${escapePointer(key)}`;
      if (isJsonObject(properties)) {
        const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
        if (isJsonObject(known)) walk(child, known, below);
        else found.push(displayPath(below));
      } else if (isJsonObject(additionalProperties)) walk(child, additionalProperties, below);
    }
  };
  walk(value, schema as unknown as JsonObject, '');
  return found;
}
