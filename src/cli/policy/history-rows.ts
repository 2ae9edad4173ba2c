import type { Manifest } from '../../releases/manifest';
import { releasesInForce } from '../../releases/publishing/in-force';
import type { StandingManifest } from '../../releases/publishing/published-release';
import type { ListedEntry } from '../../releases/publishing/release-history';

/** One line of `gate policy history`. */
export interface HistoryRow {
  version: string;
  /** publish, promote, rollback, or `by hand` for a manifest that no command wrote */
  action: string;
  by: string;
  at: string;
  in_force: boolean;
  /** false for an entry whose manifest was never seen in force */
  took_effect: boolean;
  policy_sha?: string;
  config_rev?: string;
  from?: string;
}

/** What a manifest has named, newest first, with what was begun and took no effect where its time is. */
export function historyRows(standing: StandingManifest, history: readonly ListedEntry[]): HistoryRow[] {
  const inForce = releasesInForce(standing, history);
  const rows = inForce.map(({ manifest, entry }, index) => toRow(manifest, entry, { in_force: index === 0 }));
  const took = new Set(inForce.map(({ entry }) => entry));
  for (const entry of history) {
    if (took.has(entry)) continue;
    const before = rows.findIndex(({ at }) => at !== '' && at < entry.at);
    rows.splice(before < 0 ? rows.length : before, 0, toRow(entry.manifest, entry, { took_effect: false }));
  }
  return rows;
}

function toRow(
  manifest: Manifest,
  entry: ListedEntry | undefined,
  { in_force = false, took_effect = true }: Partial<Pick<HistoryRow, 'in_force' | 'took_effect'>>,
): HistoryRow {
  return {
    version: manifest.version,
    action: entry?.action ?? 'by hand',
    by: entry?.by ?? manifest.publishedBy ?? '',
    at: entry?.at ?? manifest.publishedAt ?? '',
    in_force,
    took_effect,
    policy_sha: manifest.policySHA256,
    config_rev: manifest.configSHA256,
    ...(entry?.from === undefined ? {} : { from: entry.from }),
  };
}
