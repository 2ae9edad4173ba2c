import type { AuditReader } from '../../audit/audit-reader';
import type { AuditCursor } from '../../audit/audit-record';

/** What a sync put under a tag of a target in place of another image. */
export interface Replaced {
  /** digest that the tag named before */
  digest: string;
  /** tag under which that image was kept */
  backup?: string;
  /** digest that the sync put there */
  by: string;
  /** `registry/repository` that it came from */
  source: string;
}

const PAGE = 1_000;
/** Records that are looked through, the newest first. */
const MOST_RECORDS = 50_000;

/**
 * The newest copy to a tag that replaced another image, by the audit log.
 *
 * @param target `registry/repository:tag`
 * @returns undefined if none of the newest 50,000 copies did
 * @throws GateError AuditUnavailable
 */
export async function findReplaced(audit: Pick<AuditReader, 'list'>, target: string): Promise<Replaced | undefined> {
  let after: AuditCursor | undefined;
  for (let seen = 0; seen < MOST_RECORDS; seen += PAGE) {
    const page = await audit.list({
      ...{ domain: 'images', kind: 'acted', newestFirst: true, limit: PAGE },
      ...(after === undefined ? {} : { after }),
    });
    for (const record of page) {
      const { target: of, replaced, backup, targetDigest } = record.details ?? {};
      if (of !== target || typeof replaced !== 'string' || typeof targetDigest !== 'string') continue;
      const source = 'subject' in record ? record.subject : '';
      return { digest: replaced, by: targetDigest, source, ...(typeof backup === 'string' ? { backup } : {}) };
    }
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return undefined;
    after = { timestamp: last.timestamp, decisionID: last.decisionID };
  }
  return undefined;
}
