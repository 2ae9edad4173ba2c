import { GateError } from '../../kernel/failures';
import { isJsonObject, type JsonSchema, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { compileFactSchemas } from './fact-schemas';
import { factSchemas } from './input-schema';
import { schemaFault } from './value-schema';

/** One thing that keeps a document from being a JSON Schema. */
export interface SchemaComplaint {
  what: string;
  /** a JSON Pointer to it, as far as the compiler says; empty for the whole */
  pointer: string;
}

/** What keeps a schema of attributes or parameters from being one; empty where it is. */
export function schemaComplaints(schema: JsonSchema): SchemaComplaint[] {
  const what = schemaFault(schema);
  return what === undefined ? [] : complaintsOf(schema, what);
}

/** The same of input.json: each description of a fact is compiled, as an invalid one would fail every decision. */
export function factSchemaComplaints(inputSchema: JsonSchema): SchemaComplaint[] {
  const ids = Object.keys(factSchemas(inputSchema));
  const complaints = (each: readonly string[]): SchemaComplaint[] => {
    try {
      compileFactSchemas(inputSchema, each);
      return [];
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      return complaintsOf(inputSchema, (error.cause as Error).message);
    }
  };
  // The compiler ends at the first that it cannot take: only then each is compiled by itself.
  const [first] = complaints(ids);
  if (first === undefined) return [];
  const found = [first, ...ids.flatMap((id) => complaints([id]))];
  return [...new Map(found.map((complaint) => [complaint.what, complaint])).values()];
}

/** Of a schema whose form is wrong the compiler lists every fault in one sentence. */
function complaintsOf(schema: JsonSchema, message: string): SchemaComplaint[] {
  const form = /^schema is invalid: (.*)$/.exec(message)?.[1];
  const each = form === undefined ? [message] : form.split(/, (?=data[/ ])/);
  const complaints = each.map((what) => ({ what, pointer: pointerOf(schema, what) }));
  // The form's branches complain each for themselves, the first the most precisely.
  return complaints.filter(({ pointer }, index) => complaints.findIndex((one) => one.pointer === pointer) === index);
}

/** Keys whose own keys are names that the author chose, and no keywords. */
const OF_NAMES = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

function pointerOf(schema: JsonValue, what: string): string {
  const path = /^data(\/\S+)/.exec(what)?.[1];
  if (path !== undefined) return path;
  const fragment = /at path "#(\/[^"]*)"/.exec(what)?.[1];
  if (fragment !== undefined) return decodeURIComponent(fragment);
  const keyword = /unknown keyword: "(.+)"/.exec(what)?.[1];
  if (keyword !== undefined) return find(schema, '', (key) => key === keyword) ?? '';
  const reference = /can't resolve reference (\S+) from/.exec(what)?.[1];
  const pattern = /^Invalid regular expression: \/(.*)\/u: /.exec(what)?.[1];
  return (
    find(schema, '', (key, value) => {
      if (key === '$ref') return value === reference;
      if (key === 'pattern') return value === pattern;
      return key === 'enum' && what.startsWith('enum must') && Array.isArray(value) && value.length === 0;
    }) ?? ''
  );
}

function find(
  value: JsonValue,
  pointer: string,
  isMeant: (key: string, value: JsonValue) => boolean,
  areNames = false,
): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value) as [string, JsonValue][]) {
    const at = `${pointer}/${escapePointer(key)}`;
    if (isJsonObject(value) && !areNames && isMeant(key, child)) return at;
    const inside = find(child, at, isMeant, !areNames && OF_NAMES.has(key));
    if (inside !== undefined) return inside;
  }
  return undefined;
}
