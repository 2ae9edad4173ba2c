import type { Migration } from 'kysely';
import { objects } from './0001-objects';
import { records } from './0002-records';
import { owners } from './0003-owners';
import { eventBytes } from './0004-event-bytes';

/** Every step of the schema of plans; a step that was released is never changed: a new one follows it. */
export const planMigrations: Record<string, Migration> = {
  '0001-objects': objects,
  '0002-records': records,
  '0003-owners': owners,
  '0004-event-bytes': eventBytes,
};
