import type { JsonValue } from '../../kernel/json';
import { jsonBytes, LIMITS } from '../../kernel/limits';
import { MAX_FAULTS, MAX_FAULT_CHARS, shortText } from '../../kernel/short-text';
import type { DeploymentStatus } from './deployment-state';

/**
 * The status that leaves the workflow: as it is up to `LIMITS.statusBytes`. In a bigger one each list but that of the stages
 * keeps its first ten entries, facts that the evaluation looked at before others, and each text its first 200 characters;
 * lists of texts and of faults then end with how many entries are left out. The stages are at most 1,000, so that it fits.
 */
export function boundedStatus(status: DeploymentStatus): DeploymentStatus {
  if (jsonBytes(status) <= LIMITS.statusBytes) return status;
  const { stages, ...rest } = status;
  return { ...(shorten(rest as unknown as JsonValue) as unknown as Omit<DeploymentStatus, 'stages'>), stages };
}

function shorten(value: JsonValue): JsonValue {
  if (typeof value === 'string') return shortText(value, MAX_FAULT_CHARS);
  if (Array.isArray(value)) return shortenList(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shorten(inner)]));
}

function shortenList(items: readonly JsonValue[]): JsonValue[] {
  const isPassedOver = (item: JsonValue): boolean => member(item, 'lookedAt') === false;
  const ordered = [...items.filter((item) => !isPassedOver(item)), ...items.filter(isPassedOver)];
  const kept = ordered.slice(0, MAX_FAULTS).map(shorten);
  const left = items.length - kept.length;
  if (left === 0) return kept;
  const said = `and ${left} more`;
  const [next] = ordered.slice(kept.length);
  if (typeof next === 'string') return [...kept, said];
  const type = member(next, 'type');
  return type === undefined ? kept : [...kept, { type, message: said }];
}

function member(item: JsonValue | undefined, key: string): JsonValue | undefined {
  return typeof item === 'object' && item !== null && !Array.isArray(item) ? item[key] : undefined;
}
