import type { LoadedSettings } from '../../settings/load-settings';
import { readCurrent, requireCurrent } from './published-release';
import { releaseEvents, type ReleaseEvent } from './release-events';
import { readHistory } from './release-history';
import { openManifestPlace } from './release-place';

/** Which manifest is asked about. */
export interface ReleaseEventsRequest {
  /** says where the manifest is, and how S3 is reached */
  settings: LoadedSettings;
  /** the manifest: a path, file:// or s3://; @default that of the settings */
  to?: string;
  /** what a path is relative to */
  cwd: string;
  /** told of a file in the history's place that is no entry of it */
  onUnreadable?(key: string, why: string): void;
}

/**
 * What was published, promoted and rolled back at a manifest, newest first.
 *
 * @throws GateError ConfigInvalid when there is no manifest, ManifestInvalid when it cannot be parsed; ObjectStoreError
 */
export async function listReleaseEvents(request: ReleaseEventsRequest): Promise<ReleaseEvent[]> {
  const place = await openManifestPlace(request.settings, request.to, request.cwd);
  const current = requireCurrent(place, await readCurrent(place));
  return releaseEvents(current, await readHistory(place, (key, why) => request.onUnreadable?.(key, why)));
}
