import type { PlacementRules } from './rules';

/** What is wrong with rules of which each setting is right by itself; nothing is decided by them then. */
export function rulesRefusal({ isolationLevel, locationLabels }: PlacementRules): string[] {
  if (isolationLevel === undefined || locationLabels.includes(isolationLevel)) return [];
  const known = locationLabels.length === 0 ? 'there are none' : `these are ${locationLabels.join(', ')}`;
  return [`isolation_level ${isolationLevel} is not one of location_labels; ${known}`];
}
