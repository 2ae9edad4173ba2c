import { collectingNow } from '../../kernel/collect-faults';
import { FailureType, faultsToError, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonValue } from '../../kernel/json';
import { faultAt, placeBelow, validate, type DocumentPlace } from '../../platform/documents/validate';
import { IMAGE_POLICY_LIMITS } from '../limits';
import { compilePolicy, type PolicySurroundings } from './compile-policy';
import type { ImagePolicy, ImagePolicySet } from './image-policy';
import { ImagePoliciesSchema, ImagePolicySchema, type ImagePolicyDocument } from './policy-document';

/** A document of a file: a policy, a list of policies, or `policies:` with such a list. */
export interface ImagePolicySourceDocument {
  where: DocumentPlace;
  document: JsonValue;
}

/**
 * The policies of all documents together, checked and compiled. The order of the documents makes no difference.
 *
 * @throws GateError ConfigInvalid with every fault of every document
 */
export function readImagePolicies(
  documents: readonly ImagePolicySourceDocument[],
  surroundings: PolicySurroundings = {},
): ImagePolicySet {
  const faults: Fault[] = [];
  const policies = new Map<string, ImagePolicy>();
  const places = new Map<string, DocumentPlace>();
  const parts = documents.flatMap((document) => partsOf(document, faults));
  if (parts.length > IMAGE_POLICY_LIMITS.policies) {
    const message = `Expected at most ${IMAGE_POLICY_LIMITS.policies} policies, got ${parts.length}`;
    throw new GateError(FailureType.ConfigInvalid, message);
  }
  for (const { where, document } of parts) {
    const { read, faults: found } = readShape(document, where);
    faults.push(...found);
    const first = read && places.get(read.id);
    if (read === undefined) continue;
    if (first !== undefined) {
      const line = first.lineOf?.('/id');
      const place = line === undefined ? first.file : `${first.file}:${line}`;
      faults.push(faultAt(where, '/id', `the id ${read.id} is used twice, in ${place} too`));
      continue;
    }
    places.set(read.id, where);
    const { policy, faults: inside } = compilePolicy(read, surroundings, where.file);
    faults.push(...inside.map(({ pointer, sentence }) => faultAt(where, pointer, sentence)));
    if (policy !== undefined) policies.set(read.id, policy);
  }
  if (faults.length > 0) throw faultsToError(faults);
  return { policies: [...policies.values()].sort(inOrder), byId: policies, places };
}

/** The higher priority first, then by id. */
function inOrder(one: ImagePolicy, other: ImagePolicy): number {
  return other.priority - one.priority || (one.id < other.id ? -1 : 1);
}

function partsOf({ where, document }: ImagePolicySourceDocument, faults: Fault[]): ImagePolicySourceDocument[] {
  const isFile = isJsonObject(document) && Object.hasOwn(document, 'policies');
  const below = isFile ? placeBelow(where, '/policies') : where;
  const list = isFile ? document.policies : document;
  if (isFile) {
    collectingNow(faults, () => void validate(ImagePoliciesSchema, document, where));
    if (!Array.isArray(list)) return [];
  }
  if (!Array.isArray(list)) return [{ where, document }];
  return list.map((item, index) => ({ document: item, where: placeBelow(below, `/${index}`) }));
}

/** A policy of the right shape. What its parts say is checked only once the shape is right. */
function readShape(
  document: JsonValue,
  where: DocumentPlace,
): { read?: ImagePolicyDocument; faults: readonly Fault[] } {
  const size = JSON.stringify(document).length;
  if (size > IMAGE_POLICY_LIMITS.documentChars) {
    const sentence = `expected a policy of at most ${IMAGE_POLICY_LIMITS.documentChars} characters, got ${size}`;
    return { faults: [faultAt(where, '', sentence)] };
  }
  try {
    return { read: validate<ImagePolicyDocument>(ImagePolicySchema, document, where), faults: [] };
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    return { faults: error.faults };
  }
}
