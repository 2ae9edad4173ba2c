import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { checkObject, faultSentence, unknownFields } from '../kinds/check-object';
import type { Kind } from '../kinds/kinds';
import type { PlanObject } from '../object';
import { parseResourceVersion } from '../serving/resource-version';
import { invalidFailure, planFailure } from './plan-failure';
import type { WriteRequest } from './plan-service';

export interface CheckedBody {
  object: PlanObject;
  kind: Kind;
  warnings: string[];
}

/** A body at the place that its path names: what it says itself of its namespace and name does not count. */
export function placed(body: JsonValue, place: { namespace: string; name?: string }): JsonValue {
  if (!isJsonObject(body)) return body;
  const { metadata } = body;
  if (metadata !== undefined && !isJsonObject(metadata)) return body;
  const { namespace, name } = place;
  return { ...body, metadata: { ...metadata, namespace, ...(name === undefined ? {} : { name }) } };
}

/** What follows `generateName`, as Kubernetes has it: short, and rarely the same twice. */
const SUFFIX_LENGTH = 5;
const LONGEST_NAME = 63;

/** A body with the name that `metadata.generateName` asks for; one that has a name, or asks for none, is left as it is. */
export function named(body: JsonValue, newId: () => string): JsonValue {
  if (!isJsonObject(body) || !isJsonObject(body.metadata)) return body;
  const { name, generateName } = body.metadata;
  if ((name !== undefined && name !== '') || typeof generateName !== 'string' || generateName === '') return body;
  const suffix = newId().replaceAll('-', '').slice(-SUFFIX_LENGTH);
  return {
    ...body,
    metadata: { ...body.metadata, name: `${generateName.slice(0, LONGEST_NAME - SUFFIX_LENGTH)}${suffix}` },
  };
}

/**
 * An object as it may be stored.
 *
 * @throws PlanFailure Invalid with every fault
 */
export function checkBody(
  body: JsonValue,
  expected: Kind | undefined,
  { fieldValidation = 'Ignore' }: Pick<WriteRequest, 'fieldValidation'>,
): CheckedBody {
  const checked = checkObject(body, expected === undefined ? {} : { expected });
  if (checked.object === undefined) {
    const name = isJsonObject(body) && isJsonObject(body.metadata) ? body.metadata.name : undefined;
    throw invalidFailure(checked.faults, {
      ...(checked.kind === undefined ? {} : { kind: checked.kind.resource }),
      ...(typeof name === 'string' ? { name } : {}),
    });
  }
  const { object, kind } = checked;
  return { object, kind, warnings: fieldWarnings(kind, object.metadata.name, body as JsonObject, fieldValidation) };
}

/**
 * What a writer is told of fields that the schema does not know, as it asks for. The body may be a part of an object.
 *
 * @throws PlanFailure BadRequest where the writer wants none
 */
export function fieldWarnings(
  kind: Kind,
  name: string,
  body: JsonObject,
  fieldValidation: WriteRequest['fieldValidation'] = 'Ignore',
): string[] {
  const unknown = fieldValidation === 'Ignore' ? [] : unknownFields(kind, body);
  if (unknown.length > 0 && fieldValidation === 'Strict') {
    const sentence = `strict decoding: unknown field ${unknown.map((each) => JSON.stringify(each)).join(', ')}`;
    throw planFailure('BadRequest', sentence, { kind: kind.resource, name });
  }
  return unknown.map((field) => `unknown field "${field}"`);
}

/**
 * The `resourceVersion` that a body carries.
 *
 * @throws PlanFailure BadRequest for one that no server gave
 */
export function carriedBy(body: JsonValue): string | undefined {
  const metadata = isJsonObject(body) ? body.metadata : undefined;
  const version = isJsonObject(metadata) ? metadata.resourceVersion : undefined;
  return version === undefined || version === null ? undefined : readVersion(version);
}

/** @throws PlanFailure BadRequest */
export function readVersion(version: JsonValue): string | undefined {
  const { value, fault } = parseResourceVersion(typeof version === 'string' ? version : JSON.stringify(version));
  if (fault !== undefined) throw planFailure('BadRequest', `Bad request: ${fault}`);
  return value;
}

/** What `validate` says of one object. */
export function toValidation(body: JsonValue, index: number): JsonObject {
  const { faults } = checkObject(body);
  const { kind, metadata } = isJsonObject(body) ? body : {};
  const name = isJsonObject(metadata) ? metadata.name : undefined;
  return {
    index,
    kind: typeof kind === 'string' ? kind : '',
    name: typeof name === 'string' ? name : '',
    valid: faults.length === 0,
    ...(faults.length === 0 ? {} : { errors: faults.map(faultSentence) }),
  };
}
