import type { ObjectMeta } from '../object';
import type { Parsed } from './parse-selector';

/** One term of a `fieldSelector` parameter. */
export interface FieldRequirement {
  field: 'metadata.name' | 'metadata.namespace';
  equals: boolean;
  value: string;
}

const FIELDS = ['metadata.name', 'metadata.namespace'];

/**
 * Reads a `fieldSelector`: `metadata.name=a`, `==` and `!=`, joined by commas; a backslash before a backslash, a comma or an
 * equals sign takes it as it is. Other fields are not indexed, and refused.
 */
export function parseFieldSelector(text: string): Parsed<readonly FieldRequirement[]> {
  const requirements: FieldRequirement[] = [];
  for (const term of termsOf(text)) {
    const match = /^([^=!]+)(==|!=|=)([^]*)$/.exec(term);
    if (match === null) return { fault: `expected terms such as metadata.name=a, got ${JSON.stringify(term)}` };
    const [, field, operator, raw] = match;
    if (!FIELDS.includes(field!)) return { fault: `expected the field ${FIELDS.join(' or ')}, got ${field}` };
    const value = unescaped(raw!);
    if (value === undefined) return { fault: `expected \\\\, \\, or \\= after a backslash in ${JSON.stringify(term)}` };
    requirements.push({ field: field as FieldRequirement['field'], equals: operator !== '!=', value });
  }
  return { value: requirements };
}

/** Whether an object's metadata meet every requirement. */
export function meetsFields(requirements: readonly FieldRequirement[], metadata: ObjectMeta): boolean {
  return requirements.every(({ field, equals, value }) => {
    const found = field === 'metadata.name' ? metadata.name : metadata.namespace;
    return (found === value) === equals;
  });
}

/** The parts between commas that no backslash takes away; blank ones are none. */
function termsOf(text: string): string[] {
  return [...text.matchAll(/(?:[^\\,]|\\[^])+/g)].map((match) => match[0].trim()).filter((term) => term !== '');
}

function unescaped(raw: string): string | undefined {
  if (!/^(?:[^\\]|\\[\\,=])*$/.test(raw)) return undefined;
  return raw.replace(/\\([\\,=])/g, '$1');
}
