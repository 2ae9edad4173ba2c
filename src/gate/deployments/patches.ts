/**
 * Every patch of the workflow code: a change of what it commands that runs of earlier releases must not make. The defaults
 * that a run is given name those that it passes.
 */
export const PATCHES = [
  'accepted-calls',
  'acted-and-ended',
  'lost-workers',
  'recheck',
  'shown-overrides',
  'shown-owners',
  'sizes',
] as const;

export type Patch = (typeof PATCHES)[number];
