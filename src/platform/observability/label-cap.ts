/** What stands for every value beyond the cap. */
export const OTHER_LABEL = 'other';

/**
 * Keeps a label whose values people choose from filling the registry: the first `limit` distinct values stand for
 * themselves, all later ones become `other`.
 */
export function createLabelCap(limit: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (!known.has(value) && known.size < limit) known.add(value);
    return known.has(value) ? value : OTHER_LABEL;
  };
}
