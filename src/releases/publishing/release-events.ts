import type { Manifest } from '../manifest';
import { releasesInForce } from './in-force';
import type { CurrentManifest } from './published-release';
import type { ListedEntry, ReleaseAct } from './release-history';

/** One act on a manifest, or one release that was written into it by hand. */
export interface ReleaseEvent {
  action: ReleaseAct | 'by hand';
  /** what it names, or would have named */
  manifest: Manifest;
  /** who did it, as declared; empty when it is unknown */
  by: string;
  /** RFC 3339; empty when it is unknown */
  at: string;
  /** whether the manifest names this release now; true of the first event alone */
  inForce: boolean;
  /** false when the manifest never came to name it: the publisher died before that, or lost against another */
  tookEffect: boolean;
  /** where a promoted release came from */
  from?: string;
}

/** What a manifest has named, newest first; acts without effect are placed by their time. */
export function releaseEvents(current: CurrentManifest, history: readonly ListedEntry[]): ReleaseEvent[] {
  const named = releasesInForce(current, history);
  const events = named.map(({ manifest, entry }, index) =>
    toEvent(manifest, entry, { inForce: index === 0, tookEffect: true }),
  );
  const took = new Set(named.map(({ entry }) => entry));
  for (const entry of history) {
    if (took.has(entry)) continue;
    const before = events.findIndex(({ at }) => at !== '' && at < entry.at);
    const event = toEvent(entry.manifest, entry, { inForce: false, tookEffect: false });
    events.splice(before < 0 ? events.length : before, 0, event);
  }
  return events;
}

function toEvent(
  manifest: Manifest,
  entry: ListedEntry | undefined,
  effect: Pick<ReleaseEvent, 'inForce' | 'tookEffect'>,
): ReleaseEvent {
  return {
    action: entry?.action ?? 'by hand',
    manifest,
    by: entry?.by ?? manifest.publishedBy ?? '',
    at: entry?.at ?? manifest.publishedAt ?? '',
    ...effect,
    ...(entry?.from === undefined ? {} : { from: entry.from }),
  };
}
