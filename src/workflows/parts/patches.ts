import { patched } from '@temporalio/workflow';

// A workflow runs in a module scope of its own, so these are the patches that one execution passes.
const named = new Set<string>();

/**
 * From now on this run passes these patches. To be called with the result of an activity, which is in the history and so
 * the same in every replay.
 *
 * @param ids absent in results of earlier releases
 * @param known those of this code
 * @throws Error for one that this code does not know, which fails the workflow task only: a newer worker continues the run
 */
export function passPatches(ids: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = (ids ?? []).filter((id) => !known.includes(id));
  if (unknown.length > 0)
    throw new Error(
      `Expected patches among ${known.join(', ')}, got ${unknown.join(', ')}: a newer release gave commands in this workflow, and a worker of it must continue it`,
    );
  for (const id of ids ?? []) named.add(id);
}

/**
 * Whether this run passes a patch: an activity's result named it, or its marker is in the history.
 *
 * New runs get no markers. Temporal's SDK answers a query in the middle of a workflow task, and so can report the end of a
 * local activity one task before the workflow hears of it. A replay then continues in the earlier task: a marker that was
 * set there comes too late, `patched` says no, and the workflow task fails for ever.
 */
export function passes(id: string): boolean {
  return named.has(id) || patched(id);
}

/**
 * Asks for patches in a run of an earlier release, where that is safe: straight after an event of the history (a timer, a
 * call, the result of a normal activity), never after a local activity.
 */
export function askForPatches(...ids: readonly string[]): void {
  for (const id of ids) passes(id);
}
