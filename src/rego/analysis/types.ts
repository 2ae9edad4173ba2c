import { isJsonObject, type JsonSchema, type JsonValue } from '../../kernel/json';
import { typesOf } from './input-schema';

/** TypeScript source of an interface `Facts` that says what input.json says; what it leaves open is `unknown`. */
export function policyTypes(inputSchema: JsonSchema): string {
  const header = '// Written by `gate policy types` from input.json; do not edit.\n';
  return `${header}\nexport interface Facts ${objectType(inputSchema, '')}\n`;
}

function typeOf(schema: JsonValue | undefined, indent: string): string {
  if (schema === false) return 'never';
  if (!isJsonObject(schema)) return 'unknown';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return choices.map((choice) => typeOf(choice, indent)).join(' | ');
  const types = typesOf(schema).map((type) => namedType(type, schema, indent));
  return types.length === 0 ? 'unknown' : [...new Set(types)].join(' | ');
}

function namedType(type: string, schema: JsonSchema, indent: string): string {
  switch (type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'array':
      return `Array<${typeOf(schema.items, indent)}>`;
    case 'object':
      return isJsonObject(schema.properties) ? objectType(schema, indent) : recordType(schema, indent);
    default:
      return 'unknown';
  }
}

const recordType = (schema: JsonSchema, indent: string): string =>
  `Record<string, ${typeOf(schema.additionalProperties, indent)}>`;

function objectType(schema: JsonSchema, indent: string): string {
  const inner = `${indent}  `;
  const required = Array.isArray(schema.required) ? schema.required : [];
  const properties = isJsonObject(schema.properties) ? Object.entries(schema.properties) : [];
  const lines = properties.map(([name, property]) => {
    const said = isJsonObject(property) && typeof property.description === 'string' ? property.description : undefined;
    // A description must not end the comment that holds it.
    const comment = said === undefined ? '' : `${inner}/** ${said.replaceAll('*/', '*\\/').replace(/\s+/g, ' ')} */\n`;
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return `${comment}${inner}${key}${required.includes(name) ? '' : '?'}: ${typeOf(property, inner)};\n`;
  });
  if (schema.additionalProperties !== false) lines.push(`${inner}[key: string]: unknown;\n`);
  return `{\n${lines.join('')}${indent}}`;
}
