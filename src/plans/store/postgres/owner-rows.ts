import type { PlanObject } from '../../object';

/** Of the column; the uids that this server gives are shorter. */
const LONGEST_UID = 63;

export interface OwnerRow {
  kind: string;
  namespace: string;
  name: string;
  owner_uid: string;
}

/** Who owns an object, once each. What cannot be the uid of an object, such as a longer text, is left out. */
export function ownerRows({ kind, metadata }: PlanObject): OwnerRow[] {
  const { namespace, name, ownerReferences = [] } = metadata;
  const uids = new Set(ownerReferences.map(({ uid }) => uid));
  return [...uids]
    .filter((uid) => uid.length <= LONGEST_UID && !uid.includes('\u0000'))
    .map((uid) => ({ kind, namespace, name, owner_uid: uid }));
}
