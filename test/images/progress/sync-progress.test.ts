import { describe, expect, it } from '@jest/globals';
import {
  isNotable,
  MOST_NOTES,
  newSync,
  withBatch,
  type BatchResult,
} from '../../../src/images/progress/sync-progress';
import type { SyncedImage } from '../../../src/images/progress/sync-report';
import { NO_TOTALS, totalsOf } from '../../../src/images/progress/sync-totals';

const image = (over: Partial<SyncedImage> = {}): SyncedImage => ({
  source: 'hub.example/team/app:v1',
  digests: [],
  status: 'copied',
  targets: [],
  errors: [],
  warnings: [],
  ...over,
});
const batch = (over: Partial<BatchResult> = {}): BatchResult => ({
  total: 1000,
  totals: NO_TOTALS,
  notes: [],
  omitted: 0,
  unlisted: [],
  ...over,
});
const UNLISTED = { source: 'hub.example', code: 'REGISTRY_UNAVAILABLE', cause: 'it is down' } as const;

describe('the progress of a sync', () => {
  it('the progress of a sync keeps a bounded number of notes, and counts the others', () => {
    const notes = Array.from({ length: 150 }, () => image());
    const now = withBatch(withBatch(newSync(0), batch({ notes })), batch({ notes, omitted: 7 }));
    expect([now.notes.length, now.omitted]).toEqual([MOST_NOTES, 107]);
  });

  it('the progress of a sync counts what could not be listed once, however often a worker says so', () => {
    const once = withBatch(newSync(0), batch({ unlisted: [UNLISTED] }));
    const twice = withBatch(once, batch({ unlisted: [UNLISTED, { ...UNLISTED, source: 'other.example' }] }));
    expect(twice.unlisted.map(({ source }) => source)).toEqual(['hub.example', 'other.example']);
    expect(twice.totals.errors).toBe(2);
  });

  it('the total of a sync is never less than what is done of it', () => {
    const now = withBatch(newSync(0), batch({ total: 2, totals: { ...NO_TOTALS, images: 5 } }));
    expect(now.total).toBe(5);
  });

  it('the cursor of a sync is that of its last batch, and none once every image is done', () => {
    const after = { registry: 'hub.example', repository: 'team/app', tag: 'v1' };
    const now = withBatch(newSync(0), batch({ after }));
    expect(now.after).toEqual(after);
    expect(withBatch(now, batch()).after).toBeUndefined();
  });

  it.each([
    [image(), true],
    [image({ status: 'blocked' }), true],
    [image({ status: 'failed' }), true],
    [image({ status: 'skipped' }), false],
    [image({ status: 'unmatched' }), false],
  ])('an image that is %j is notable: %s', (one, expected) => {
    expect(isNotable(one)).toBe(expected);
  });

  it('an image that every target has counts as one that was skipped', () => {
    expect(totalsOf(image({ status: 'skipped' }))).toMatchObject({ images: 1, tagsSkipped: 1, tagsCopied: 0 });
  });
});
