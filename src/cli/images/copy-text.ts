import { formatSize } from '../../images/conditions/image-size';
import type { CopyOutcome } from '../../images/copy-options';
import type { CopyPlan } from '../../images/copying/plan-copy';
import type { ReplicateImageResult } from '../../images/copying/replicate-image';

interface Names {
  source: string;
  target: string;
}

const SAID: Record<CopyOutcome, string> = {
  copied: 'copied',
  unchanged: 'unchanged',
  kept: 'kept: the tag names another image',
  withheld: 'not tagged: the tag moved at the source',
};

/** One copy that was made, on a line. */
export function copyLine({ source, target }: Names, result: ReplicateImageResult): string {
  const { outcome, blobsSent, bytesSent, blobsSkipped, blobsMounted, referrers, absent, foreign, replaced } = result;
  const parts = [
    SAID[outcome],
    ...(outcome === 'copied' ? [`${blobsSent} blobs sent (${formatSize(bytesSent)})`] : []),
    ...counted(blobsSkipped, 'blobs present'),
    ...counted(blobsMounted, 'blobs mounted'),
    ...counted(referrers.copied.length, 'referrers copied'),
    ...counted(foreign.length, 'foreign layers skipped'),
    ...counted(absent.length, 'parts absent at the source'),
    ...(replaced === undefined ? [] : [`was ${replaced}`]),
  ];
  return `${source} -> ${target}: ${parts.join(', ')}`;
}

/** One copy that would be made, on a line. */
export function planLine({ source, target }: Names, plan: CopyPlan): string {
  const { outcome, blobs, bytes, blobsPresent, replaces } = plan;
  const parts =
    outcome === 'copied'
      ? [`would copy ${blobs} blobs (${formatSize(bytes)})`, ...counted(blobsPresent, 'blobs present')]
      : [SAID[outcome]];
  return `${source} -> ${target}: ${[...parts, ...(replaces === undefined ? [] : [`now ${replaces}`])].join(', ')}`;
}

function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}
