import { isDuration, parseDuration } from '../../kernel/duration';
import { patternFault } from '../../kernel/pattern-fault';
import { truthOf, type Truth } from '../../rules/conditions/truth';
import type { ImageMetadata } from '../image-metadata';
import { ownValuesName } from './condition-type';
import { METADATA_FIELDS, type ImageComparison, type ImageOperator, type MetadataField } from './image-condition';
import { parseSize } from './image-size';
import { compilePattern } from './pattern';

/** An image's condition, ready to be asked many times. */
export interface Ask {
  (image: ImageMetadata, nowMs: number): Judged;
  /** the truth alone: the same, without the cost of a reason */
  truth(image: ImageMetadata, nowMs: number): Truth;
}

export interface Judged {
  truth: Truth;
  /** one sentence: what was compared, and with which value */
  reason: string;
  /** why a condition type of a program's own gave no answer */
  error?: string;
}

/** The values to compare: none if they are known to be absent, undefined if they could not be read. */
type Look = (image: ImageMetadata, nowMs: number) => readonly (string | number)[] | undefined;

type Test = (value: string | number) => boolean;

const TEXT_OPERATORS: readonly ImageOperator[] = [
  'equals',
  'not_equals',
  'matches',
  'contains',
  'in',
  'exists',
  'not_exists',
];
const NUMBER_OPERATORS: readonly ImageOperator[] = ['equals', 'not_equals', 'gt', 'lt', 'exists', 'not_exists'];

/**
 * The comparison as a function. What is absent is known to be: `not_equals` and `not_exists` hold of it, no other operator does.
 *
 * @returns a sentence of what was expected if it cannot be compiled: an operator that does not fit, an invalid pattern
 */
export function compileComparison(
  comparison: ImageComparison,
  ownTypes: ReadonlySet<string> = new Set(),
): Ask | string {
  const split = ownTypes.has(comparison.type) ? splitOwn(comparison) : splitKey(comparison);
  if (typeof split === 'string') return split;
  const { what, look, errorOf, kind, value } = split;
  const { operator } = comparison;
  const operators = kind === 'text' ? TEXT_OPERATORS : NUMBER_OPERATORS;
  if (!operators.includes(operator)) return `expected one of ${operators.join(', ')} for ${what}, got ${operator}`;
  const test = testOf(operator, value, kind);
  if (typeof test === 'string') return test;
  const isNegated = operator === 'not_equals' || operator === 'not_exists';
  const shown = value === undefined ? '' : ` ${JSON.stringify(value)}`;
  const judge = (image: ImageMetadata, nowMs: number): Judged => {
    const found = look(image, nowMs);
    if (found === undefined) {
      const error = errorOf?.(image);
      return { truth: 'unknown', reason: `${what} could not be read`, ...(error === undefined ? {} : { error }) };
    }
    const holds = found.some(test) !== isNegated;
    const is = found.length === 0 ? 'it is absent' : `it is ${found.slice(0, 5).join(', ')}`;
    return { truth: truthOf(holds), reason: `${what} ${operator}${shown} ${holds ? 'holds' : 'does not hold'}: ${is}` };
  };
  const truth = (image: ImageMetadata, nowMs: number): Truth => {
    const found = look(image, nowMs);
    return found === undefined ? 'unknown' : truthOf(found.some(test) !== isNegated);
  };
  return Object.assign(judge, { truth });
}

type Kind = 'text' | 'bytes' | 'age';

interface Split {
  /** how reasons name it */
  what: string;
  look: Look;
  /** why there is nothing to compare */
  errorOf?: (image: ImageMetadata) => string | undefined;
  kind: Kind;
  value: string | readonly string[] | undefined;
}

function splitKey({ type, key, value, operator }: ImageComparison): Split | string {
  if (type === 'tag') return { what: 'the tag', look: ({ tag }) => (tag === null ? [] : [tag]), kind: 'text', value };
  if (type === 'registry') return { what: 'the registry', look: (image) => [image.registry], kind: 'text', value };
  if (type === 'repository')
    return { what: 'the repository', look: (image) => [image.repository], kind: 'text', value };
  const named = key === undefined ? fromValue(value, operator) : { key, value };
  if (typeof named === 'string') return named;
  if (type === 'metadata') return metadata(named.key, named.value);
  const of = type === 'label' ? 'labels' : 'annotations';
  return {
    what: `the ${type} ${named.key}`,
    look: (image) => {
      const values = image[of];
      return values && (Object.hasOwn(values, named.key) ? values[named.key] : []);
    },
    kind: 'text',
    value: named.value,
  };
}

function splitOwn({ type, key, value }: ImageComparison): Split {
  const name = ownValuesName(type, key);
  return {
    what: key === undefined ? `the ${type}` : `the ${type} ${key}`,
    look: ({ own }) => own?.get(name)?.values,
    errorOf: ({ own }) => own?.get(name)?.error,
    kind: 'text',
    value,
  };
}

/** `KEY=VALUE`, or the key alone for the operators that compare with nothing. */
function fromValue(value: ImageComparison['value'], operator: ImageOperator): { key: string; value?: string } | string {
  if (typeof value !== 'string') return 'expected a key, or KEY=VALUE as the value';
  if (operator === 'exists' || operator === 'not_exists') return { key: value };
  const equals = value.indexOf('=');
  if (equals < 1) return `expected a key, or KEY=VALUE as the value, got "${value}"`;
  return { key: value.slice(0, equals), value: value.slice(equals + 1) };
}

const FIELDS: Record<MetadataField, { kind: Kind; look: Look }> = {
  digest: { kind: 'text', look: ({ digest }) => known(digest) },
  size: { kind: 'bytes', look: ({ size }) => known(size) },
  age: {
    kind: 'age',
    look: ({ createdAtMs }, nowMs) => known(createdAtMs === undefined ? undefined : nowMs - createdAtMs),
  },
  architecture: { kind: 'text', look: ({ architectures }) => architectures },
  os: { kind: 'text', look: ({ os }) => os },
  has_signature: {
    kind: 'text',
    look: ({ hasSignature }) => known(hasSignature === undefined ? undefined : String(hasSignature)),
  },
};

function known<T extends string | number>(value: T | undefined): T[] | undefined {
  return value === undefined ? undefined : [value];
}

function metadata(key: string, value: ImageComparison['value']): Split | string {
  const field = METADATA_FIELDS.find((one) => one === key);
  if (field === undefined) return `expected one of ${METADATA_FIELDS.join(', ')} as metadata, got "${key}"`;
  return { what: `the ${field}`, ...FIELDS[field], value };
}

function testOf(operator: ImageOperator, value: Split['value'], kind: Kind): Test | string {
  switch (operator) {
    case 'exists':
    case 'not_exists':
      return () => true;
    case 'in':
      return Array.isArray(value)
        ? (found) => value.includes(String(found))
        : 'expected a list of texts as the value of in';
    case 'matches':
      return typeof value === 'string' ? patternTest(value) : 'expected a pattern as the value of matches';
    default:
      if (typeof value !== 'string') return `expected a text as the value of ${operator}`;
  }
  if (kind !== 'text') return numberTest(operator, value, kind);
  if (operator === 'contains') return (found) => String(found).includes(value);
  return (found) => found === value;
}

/** RE2 runs in linear time, so that no pattern and no tag can hold up an evaluation. */
function patternTest(text: string): Test | string {
  try {
    return compilePattern(text);
  } catch (error) {
    return patternFault(text, error);
  }
}

function numberTest(operator: ImageOperator, value: string, kind: 'bytes' | 'age'): Test | string {
  const isAge = kind === 'age';
  const limit = isAge ? (isDuration(value) ? parseDuration(value) : undefined) : parseSize(value);
  if (limit === undefined) return `expected ${isAge ? 'an age such as 30d' : 'a size such as 100MB'}, got "${value}"`;
  if (operator === 'gt') return (found) => Number(found) > limit;
  if (operator === 'lt') return (found) => Number(found) < limit;
  return (found) => found === limit;
}
