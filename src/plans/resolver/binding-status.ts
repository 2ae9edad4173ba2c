import { canonicalJson } from '../../kernel/canonical-json';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { Binding } from '../kinds/binding';
import type { PlanObject } from '../object';
import { withCondition } from './conditions';

/** Where a capability is. */
export interface CapabilityPlace {
  namespace: string;
  name: string;
}

/** The capabilities that a binding's rules name, each once, in the order of its rules. */
export function capabilitiesOf({ metadata, spec }: Binding): CapabilityPlace[] {
  const places = new Map<string, CapabilityPlace>();
  for (const { selector } of spec.rules) {
    const { name, namespace = metadata.namespace } = selector.capabilityRef ?? {};
    if (name !== undefined) places.set(`${namespace}/${name}`, { namespace, name });
  }
  return [...places.values()];
}

/**
 * The status that a binding is to have: how many of the capabilities that its rules name can be had. One counts as bound when
 * it exists and its phase is not `Unavailable`. A binding whose rules name none is `Ready`.
 *
 * @param find the capability at a place
 * @returns the whole status; the binding's own one, and the same object, when nothing is to be written
 */
export function bindingStatus(
  binding: Binding,
  find: (place: CapabilityPlace) => PlanObject | undefined,
  nowMs: number,
): JsonObject {
  const before: JsonObject = isJsonObject(binding.status) ? (binding.status as JsonObject) : {};
  const { namespace, generation = 1 } = binding.metadata;
  const wanted = capabilitiesOf(binding);
  const unbound = wanted.filter((place) => {
    const found = find(place);
    return found === undefined || found.status?.phase === 'Unavailable';
  });
  const names = unbound.map((place) =>
    place.namespace === namespace ? place.name : `${place.namespace}/${place.name}`,
  );
  const boundCount = wanted.length - unbound.length;
  const isReady = unbound.length === 0;
  const conditions = withCondition(
    before.conditions,
    {
      type: 'Resolved',
      status: isReady ? 'True' : 'False',
      reason: isReady ? 'AllBound' : 'CapabilitiesNotFound',
      message: isReady
        ? 'Every capability that the rules name is available'
        : `Capabilities that the rules name are not available: ${names.join(', ')}`,
      observedGeneration: generation,
    },
    nowMs,
  ) as JsonValue[];
  const status: JsonObject = {
    ...before,
    phase: isReady ? 'Ready' : boundCount > 0 ? 'PartiallyBound' : 'Unresolved',
    totalCount: wanted.length,
    boundCount,
    unboundCapabilities: names,
    conditions,
    observedGeneration: generation,
  };
  return canonicalJson(status) === canonicalJson(before) ? before : status;
}
