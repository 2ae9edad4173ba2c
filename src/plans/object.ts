import type { JsonObject, JsonValue } from '../kernel/json';

/** The one version of PlanSpec that is spoken here (https://planspec.io, v1alpha1). */
export const API_VERSION = 'planspec.io/v1alpha1';

/** What every object has about itself. All but the name is optional: what users send is checked elsewhere. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  /** the server's: unchanged for as long as the object lives */
  uid?: string;
  /** the server's: the store's revision at the object's last write, in decimal */
  resourceVersion?: string;
  /** the server's: 1 at first, one more with each change of `spec` */
  generation?: number;
  /** the server's, RFC 3339 */
  creationTimestamp?: string;
  /** the server's: the object goes when its finalizers are gone */
  deletionTimestamp?: string;
  finalizers?: readonly string[];
  ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
}

/** A PlanSpec object that was checked: fields that its schema does not know are kept. */
export interface PlanObject<Spec = JsonObject, Status = JsonObject> {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: Spec;
  status?: Status;
}

/** `Plan prod/checkout-v2`: an object as messages name it. */
export function objectName({ kind, metadata }: Pick<PlanObject, 'kind' | 'metadata'>): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

/** The object as the JSON that it is. */
export function asJson(object: PlanObject<unknown, unknown>): JsonObject {
  return object as unknown as JsonValue as JsonObject;
}

/** By namespace, then by name, each in the order of their characters: the order of every list. */
export function byPlace(one: { metadata: ObjectMeta }, other: { metadata: ObjectMeta }): number {
  const [a, b] = [one.metadata, other.metadata];
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
}
