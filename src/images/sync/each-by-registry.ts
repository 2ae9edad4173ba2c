import { eachOf } from '../each-of';

/** Places of one registry that are asked at once. */
const AT_ONCE = 4;

/**
 * Runs `task` for each place, the registries side by side, so that one that is slow or hangs does not delay the others.
 *
 * @throws the first failure of a task, once those under way have ended
 */
export async function eachByRegistry<Place extends { registry: string }>(
  places: readonly Place[],
  task: (place: Place) => Promise<void>,
): Promise<void> {
  const byRegistry = new Map<string, Place[]>();
  for (const place of places) {
    const own = byRegistry.get(place.registry);
    if (own === undefined) byRegistry.set(place.registry, [place]);
    else own.push(place);
  }
  const ends = await Promise.allSettled([...byRegistry.values()].map((own) => eachOf(own, AT_ONCE, task)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
