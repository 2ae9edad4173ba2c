import { eachOf } from '../each-of';
import type { TagChooser } from '../policies/choose-tags';

/**
 * What `latest` of some tag sets chooses among all tags of a repository. Only sets that go by age cost reads.
 *
 * @param createdAtOf epoch milliseconds of a tag's image; undefined if it could not be read: then `created` does not choose it
 */
export async function chooseLatest(
  sets: readonly TagChooser[],
  tags: readonly string[],
  createdAtOf: (tag: string) => Promise<number | undefined>,
  nowMs: number,
  concurrency = 8,
): Promise<(set: TagChooser, tag: string) => boolean> {
  const chosen = new Map<TagChooser, ReadonlySet<string>>();
  for (const set of sets.filter(({ hasLatest }) => hasLatest)) {
    const aged: { tag: string; createdAtMs?: number }[] = [];
    if (!set.needsCreated) aged.push(...set.byName(tags).map((tag) => ({ tag })));
    else
      await eachOf(set.byName(tags), concurrency, async (tag) => {
        const createdAtMs = await createdAtOf(tag);
        aged.push({ tag, ...(createdAtMs === undefined ? {} : { createdAtMs }) });
      });
    chosen.set(set, new Set(set.byAge(aged, nowMs)));
  }
  return (set, tag) => chosen.get(set)?.has(tag) ?? true;
}
