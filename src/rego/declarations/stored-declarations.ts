import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { Declaration, Declarations, LineRange } from './declaration';
import { parsePathPattern, type PathPattern } from './path-pattern';

/** Declarations as a bundle's manifest keeps them: patterns as they are written. */
export function toStoredDeclarations({ rules, deniesWithNotes }: Declarations): JsonObject {
  return {
    denies_with_notes: deniesWithNotes,
    rules: rules.map(({ where, ranges, optional, builtinErrorsAreUndefined, comparesAsOpa }) => ({
      where,
      ranges: ranges.map(({ file, first, last }) => ({ file, first, last })),
      optional: optional.map(({ text }) => text),
      builtin_errors_are_undefined: builtinErrorsAreUndefined,
      compares_as_opa: comparesAsOpa,
    })),
  };
}

/** @returns undefined for anything else than `toStoredDeclarations` gives: nothing in a bundle is trusted to have its shape */
export function fromStoredDeclarations(value: JsonValue | undefined): Declarations | undefined {
  if (!isJsonObject(value) || typeof value.denies_with_notes !== 'boolean' || !Array.isArray(value.rules))
    return undefined;
  const rules: Declaration[] = [];
  for (const one of value.rules) {
    const rule = readRule(one);
    if (rule === undefined) return undefined;
    rules.push(rule);
  }
  return { rules, deniesWithNotes: value.denies_with_notes };
}

function readRule(value: JsonValue): Declaration | undefined {
  if (!isJsonObject(value)) return undefined;
  const {
    where,
    ranges,
    optional,
    builtin_errors_are_undefined: ignoresErrors,
    compares_as_opa: comparesAsOpa,
  } = value;
  if (typeof where !== 'string' || typeof ignoresErrors !== 'boolean' || typeof comparesAsOpa !== 'boolean')
    return undefined;
  if (!Array.isArray(ranges) || !ranges.every(isRange) || !Array.isArray(optional)) return undefined;
  const patterns: PathPattern[] = [];
  for (const text of optional) {
    const pattern = typeof text === 'string' ? parsePathPattern(text) : undefined;
    if (pattern === undefined || 'expected' in pattern) return undefined;
    patterns.push(pattern);
  }
  return { where, ranges, optional: patterns, builtinErrorsAreUndefined: ignoresErrors, comparesAsOpa };
}

function isRange(value: JsonValue): value is JsonObject & LineRange {
  return (
    isJsonObject(value) &&
    typeof value.file === 'string' &&
    Number.isSafeInteger(value.first) &&
    Number.isSafeInteger(value.last)
  );
}
