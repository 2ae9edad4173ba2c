import type { PolicyStore } from '../store/policy-store';
import type { StoredPolicy } from '../store/stored-policy';
import type { DocumentText, SetDelta } from '../threads/messages';
import type { DocumentSet } from '../threads/rule-evaluator';

interface Held extends Pick<StoredPolicy, 'id' | 'name' | 'type' | 'revision'> {
  /** of the set, when it last changed */
  changedAt: number;
  /** absent once it is deleted */
  text?: string;
}

/** The policies of the store as they were at one revision of the set. */
export interface PolicyDocuments extends DocumentSet {
  /** a living one */
  byName(name: string): Pick<StoredPolicy, 'id' | 'name' | 'type' | 'revision'> | undefined;
  readonly living: number;
}

/**
 * What the store holds, kept in memory. A reading asks for the revision of the set, and fetches what changed since: other
 * processes write to the same store.
 */
export function createPolicyDocuments(store: PolicyStore): { current(): Promise<PolicyDocuments> } {
  const held = new Map<string, Held>();
  const names = new Map<string, string>();
  let key = 0;
  let reading: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;

  async function readChanges(): Promise<void> {
    if (key > 0 && (await store.setRevision()) === key) return;
    const { setRevision, policies } = await store.changedSince(key);
    for (const policy of policies) take(policy, setRevision);
    key = setRevision;
  }

  function take({ id, name, type, revision, document, deletedAt }: StoredPolicy, changedAt: number): void {
    const before = held.get(id);
    if (before !== undefined && names.get(before.name) === id) names.delete(before.name);
    if (deletedAt === undefined) names.set(name, id);
    const text = deletedAt === undefined ? { text: JSON.stringify(document) } : {};
    held.set(id, { id, name, type, revision, changedAt, ...text });
  }

  /** A caller that arrives during a reading waits for the next one: this one may have asked too early. */
  function refreshed(): Promise<void> {
    if (reading === undefined) {
      reading = readChanges().finally(() => (reading = undefined));
      return reading;
    }
    waiting ??= reading
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        return refreshed();
      });
    return waiting;
  }

  return {
    async current() {
      await refreshed();
      const moment = key;
      return {
        key: moment,
        living: names.size,
        since: (from) => since(held, from, key),
        byName(name) {
          const id = names.get(name);
          return id === undefined ? undefined : held.get(id);
        },
      };
    },
  };
}

function since(held: ReadonlyMap<string, Held>, from: number, key: number): SetDelta {
  const documents: DocumentText[] = [];
  for (const { id, name, revision, text, changedAt } of held.values()) {
    if (changedAt <= from || (from === 0 && text === undefined)) continue;
    documents.push({ id, name, revision, ...(text === undefined ? {} : { text }) });
  }
  return { key, documents };
}
