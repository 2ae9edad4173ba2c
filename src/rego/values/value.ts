import { ExactNumber, type RegoNumber } from './number';
import type { RegoObject } from './rego-object';
import type { RegoSet } from './rego-set';

/**
 * A value of Rego. JSON is too narrow for it: numbers have any number of digits and keep their spelling, objects have
 * keys of any type, and a set is no array. Arrays are JavaScript's; whoever is given one does not change it.
 */
export type RegoValue = null | boolean | RegoNumber | string | RegoValue[] | RegoObject | RegoSet;

/** In the order that OPA sorts them. */
const TYPE_NAMES = ['null', 'boolean', 'number', 'string', 'array', 'object', 'set'] as const;
export type RegoTypeName = (typeof TYPE_NAMES)[number];

/** The position of the value's type in OPA's order of types. */
export function typeRank(value: RegoValue): number {
  switch (typeof value) {
    case 'boolean':
      return 1;
    case 'number':
      return 2;
    case 'string':
      return 3;
    default:
      if (value === null) return 0;
      if (value instanceof ExactNumber) return 2;
      if (Array.isArray(value)) return 4;
      return value.kind === 'object' ? 5 : 6;
  }
}

/** The type's name as `type_name` and OPA's errors say it. */
export function typeName(value: RegoValue): RegoTypeName {
  return TYPE_NAMES[typeRank(value)]!;
}

/** Narrowing without the classes themselves, which need this order to sort what they hold. */
export function isObject(value: RegoValue | undefined): value is RegoObject {
  return typeof value === 'object' && value !== null && (value as Partial<RegoObject>).kind === 'object';
}

export function isSet(value: RegoValue | undefined): value is RegoSet {
  return typeof value === 'object' && value !== null && (value as Partial<RegoSet>).kind === 'set';
}
