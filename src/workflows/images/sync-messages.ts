import { defineQuery } from '@temporalio/workflow';
import type { SyncStatus } from '../../images/progress/sync-progress';

/** How far a sync of images is. */
export const imageSyncStatusQuery = defineQuery<SyncStatus>('status');
