import type { JsonObject } from '../../kernel/json';
import { meetsFields, type FieldRequirement } from '../selectors/field-selector';
import { meetsRequirements, type LabelRequirement } from '../selectors/parse-selector';
import { API_VERSION, type ObjectMeta, type PlanObject } from '../object';
import { failure } from './status-object';

/** One write, as the store keeps it: in the transaction of the write and under its revision. */
export interface StoredEvent {
  /** the store's revision, in decimal; no two events have the same */
  revision: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** after the write; of a deletion, as it was last */
  object: PlanObject;
  /** of the object's text, in UTF-16 units */
  length: number;
  /** the labels before a MODIFIED, for selectors; absent where there were none */
  labelsBefore?: Readonly<Record<string, string>>;
  /** when it was written, just before the commit: epoch milliseconds by the store's clock, the same for all servers */
  writtenMs: number;
}

/** What a watch or a list is about. */
export interface Filter {
  /** absent: all */
  namespace?: string;
  labels?: readonly LabelRequirement[];
  fields?: readonly FieldRequirement[];
}

/** What a watcher is told. */
export interface WatchEvent {
  type: StoredEvent['type'];
  object: PlanObject;
  revision: string;
}

/** Whether an object is in a list with this filter. */
export function isListed(metadata: ObjectMeta, { namespace, labels = [], fields = [] }: Filter): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  return meetsRequirements(labels, metadata.labels) && meetsFields(fields, metadata);
}

/**
 * What an event is to a watcher: an object whose labels stop matching is DELETED to it, one whose labels begin to is ADDED.
 *
 * @returns undefined when it is nothing to this watcher
 */
export function toWatchEvent(
  { revision, type, object, labelsBefore }: StoredEvent,
  filter: Filter,
): WatchEvent | undefined {
  const is = type !== 'DELETED' && isListed(object.metadata, filter);
  const labels = type === 'DELETED' ? object.metadata.labels : labelsBefore;
  const was = type !== 'ADDED' && isListed({ ...object.metadata, labels: labels ?? {} }, filter);
  if (!is && !was) return undefined;
  return { type: is && was ? 'MODIFIED' : is ? 'ADDED' : 'DELETED', object, revision };
}

/** An event as PlanSpec's clients read it from Server-Sent Events; `id` lets a client resume with `Last-Event-ID`. */
export function toServerSent({ type, object, revision }: WatchEvent): string {
  return `id: ${revision}\ndata: ${JSON.stringify({ type, object, rev: revision })}\n\n`;
}

/** A comment, which clients pass over: it keeps the connection, and shows that it lives. */
export const HEARTBEAT = ': heartbeat\n\n';

/** Says up to which revision a watcher has been told everything. */
export function toBookmark(kind: string, revision: string): JsonObject {
  return { type: 'BOOKMARK', object: { kind, apiVersion: API_VERSION, metadata: { resourceVersion: revision } } };
}

/** The last thing that a watcher is told which asks for events that are gone, or falls behind: it lists again. */
export function toExpired(oldest: string): JsonObject {
  return {
    type: 'ERROR',
    object: failure('Expired', `too old resource version: events before ${oldest} are gone; list again`),
  };
}
