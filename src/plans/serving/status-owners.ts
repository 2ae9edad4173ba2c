import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { CONTROLLER_CONDITIONS } from '../resolver/resolve';

interface Owned {
  fields: readonly string[];
  conditions: readonly string[];
}

/** What of a status nobody but the controllers and the server write. */
const OWNED: Readonly<Record<string, Owned>> = {
  Goal: { fields: ['activePlanRef', 'observedGeneration'], conditions: CONTROLLER_CONDITIONS },
  Plan: { fields: ['phase', 'nodeCount', 'conditions', 'observedGeneration'], conditions: [] },
};
const NOTHING_MORE: Owned = { fields: ['observedGeneration'], conditions: [] };

/** What of a status a client may have sent: without what is the controller's. Empty for no status. */
export function clientsStatus(kind: string, status: unknown): JsonObject {
  if (!isJsonObject(status)) return {};
  const { fields, conditions } = OWNED[kind] ?? NOTHING_MORE;
  const kept = Object.fromEntries(Object.entries(status).filter(([key]) => !fields.includes(key)));
  if (!Array.isArray(kept.conditions)) return kept;
  const left = kept.conditions.filter((each) => !isOwned(each, conditions));
  const { conditions: _all, ...rest } = kept;
  return left.length === 0 ? rest : { ...rest, conditions: left };
}

/** A client's part of a status with the controller's part of the stored one. */
export function withControllers(kind: string, clients: JsonObject, stored: unknown): JsonObject {
  const before: JsonObject = isJsonObject(stored) ? stored : {};
  const { fields, conditions } = OWNED[kind] ?? NOTHING_MORE;
  const owned = Object.fromEntries(Object.entries(before).filter(([key]) => fields.includes(key)));
  const kept = Array.isArray(before.conditions) ? before.conditions.filter((each) => isOwned(each, conditions)) : [];
  const sent = Array.isArray(clients.conditions) ? clients.conditions : [];
  const all = [...sent, ...kept];
  return { ...clients, ...owned, ...(all.length === 0 || 'conditions' in owned ? {} : { conditions: all }) };
}

function isOwned(condition: JsonValue, types: readonly string[]): boolean {
  return isJsonObject(condition) && types.includes(condition.type as string);
}
