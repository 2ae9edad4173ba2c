import type { Migration } from 'kysely';
import { policies } from './0001-policies';
import { schedulePauses } from './0002-schedule-pauses';

/** Every step of the schema of rule policies; a step that was released is never changed: a new one follows it. */
export const ruleMigrations: Record<string, Migration> = {
  '0001-policies': policies,
  '0002-schedule-pauses': schedulePauses,
};
