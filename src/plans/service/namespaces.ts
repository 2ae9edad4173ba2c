import { Type } from '../../platform/documents/typebox';
import { toTimestamp } from '../../kernel/time';
import { KINDS, type Kind } from '../kinds/kinds';
import { API_VERSION, type PlanObject } from '../object';
import { deleteObject } from '../serving/write-object';
import type { ObjectKey, WriteSession } from '../store/plan-store';
import { planFailure } from './plan-failure';

/** Names that a namespace may have: those of objects. */
const NAME = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Namespaces are stored as the objects are, in no namespace: so they have revisions, events and lists as these do. */
export const NAMESPACE: Kind = {
  kind: 'Namespace',
  resource: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  schema: Type.Object({}),
};

export const namespaceKey = (name: string): ObjectKey => ({ kind: NAMESPACE.kind, namespace: '', name });

export interface NamespaceOptions {
  nowMs: number;
  newId(): string;
}

/**
 * The namespace, which the first write into it makes.
 *
 * @throws PlanFailure Invalid for a name that it cannot have; Conflict while it is being deleted
 */
export async function ensureNamespace(
  session: WriteSession,
  name: string,
  { nowMs, newId }: NamespaceOptions,
): Promise<{ object: PlanObject; created: boolean }> {
  requireNamespaceName(name);
  const found = await session.get(namespaceKey(name));
  if (found !== undefined) {
    if (found.metadata.deletionTimestamp === undefined) return { object: found, created: false };
    throw planFailure('Conflict', `Namespace ${name} is being deleted: nothing can be created in it`);
  }
  const object = await session.create({
    apiVersion: API_VERSION,
    kind: NAMESPACE.kind,
    metadata: { name, namespace: '', uid: newId(), generation: 1, creationTimestamp: toTimestamp(nowMs) },
    spec: {},
    status: { phase: 'Active' },
  });
  return { object, created: true };
}

/** @throws PlanFailure Invalid */
export function requireNamespaceName(name: string): void {
  if (NAME.test(name)) return;
  const found = JSON.stringify(name.slice(0, 80));
  const message = `Expected a namespace's name to be up to 63 lower-case letters, digits and hyphens, a letter first, got ${found}`;
  throw planFailure('Invalid', message);
}

/**
 * Deletes a namespace with everything in it, each with an event. While an object has finalizers, it and the namespace stay, marked.
 *
 * @returns whether the namespace is gone
 */
export async function deleteNamespace(session: WriteSession, namespace: PlanObject, nowMs: number): Promise<boolean> {
  const { name } = namespace.metadata;
  for (const { kind } of KINDS) {
    for (const object of await session.list({ kind, namespace: name })) {
      const outcome = deleteObject(object, { nowMs });
      // What it owns is in the same namespace, and goes by itself.
      if (outcome.action === 'deleted') await session.remove(object);
      else if (outcome.action === 'updated') await session.update(outcome.object, object);
    }
  }
  if (await isEmpty(session, name)) {
    // The last object may have taken it with it.
    if ((await session.get(namespaceKey(name))) !== undefined) await session.remove(namespace);
    return true;
  }
  if (namespace.metadata.deletionTimestamp === undefined) {
    const metadata = { ...namespace.metadata, deletionTimestamp: toTimestamp(nowMs) };
    await session.update({ ...namespace, metadata, status: { phase: 'Terminating' } }, namespace);
  }
  return false;
}

/** Removes a namespace that is being deleted once the last object of it is gone. */
export async function endNamespace(session: WriteSession, name: string): Promise<void> {
  const namespace = await session.get(namespaceKey(name));
  if (namespace?.metadata.deletionTimestamp === undefined) return;
  if (await isEmpty(session, name)) await session.remove(namespace);
}

async function isEmpty(session: WriteSession, namespace: string): Promise<boolean> {
  for (const { kind } of KINDS) {
    if ((await session.list({ kind, namespace, limit: 1 })).length > 0) return false;
  }
  return true;
}
