import type { Services } from '../gate/services';
import { findClosed } from './find-closed';
import { recordClosed } from './record-closed';
import type { SweepActivities } from './sweep-activities';

/** What records the ends that workflows are not told of. */
export function createSweepActivities(services: Services): SweepActivities {
  return { findClosed, recordClosed: (run) => recordClosed(services, run) };
}
