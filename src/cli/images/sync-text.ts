import { formatSize } from '../../images/conditions/image-size';
import type { SyncedImage, SyncedTarget, SyncError } from '../../images/progress/sync-report';
import type { PruneReport } from '../../images/progress/prune-report';
import type { SyncTotals } from '../../images/progress/sync-totals';
import type { colorsFor } from '../output';

type ColorsOf = ReturnType<typeof colorsFor>;

/** What was done with one image, a line for each target; nothing for one that no policy replicates. */
export function imageLines(
  { source, status, reason, targets, warnings, errors }: SyncedImage,
  dryRun: boolean,
  colors: ColorsOf,
): string[] {
  if (status === 'blocked') return [`${source}: ${colors.red('replication blocked by policy')}: ${reason}`];
  if (status === 'unmatched') return [];
  const own = targets.map((target) => `${source} -> ${targetText(target, dryRun, colors)}`);
  if (status === 'failed' && targets.every(({ error }) => error === undefined))
    own.push(`${source}: ${colors.red('failed')}: ${errors.map(({ code, cause }) => `${code}: ${cause}`).join('; ')}`);
  own.push(
    ...warnings.map(({ policyId, reason: why }) => `${source}: ${colors.yellow('warning')} of ${policyId}: ${why}`),
  );
  return own.length > 0 ? own : [`${source}: present`];
}

/** What became of surplus tags, a line for each. */
function pruneLines({ tags, left }: PruneReport, colors: ColorsOf): string[] {
  return [
    ...tags.map(({ target, policyId, digest, outcome, error }) => {
      const what = `${target} (${policyId})`;
      if (outcome === 'failed') return `${what}: ${colors.red('not deleted')}: ${error?.code}: ${error?.cause}`;
      if (outcome === 'kept') return `${what}: not deleted, its image is still there`;
      if (outcome === 'moved') return `${what}: not deleted, the tag moved meanwhile`;
      return `${what}: ${outcome === 'listed' ? 'would delete' : colors.yellow('deleted')} ${digest}`;
    }),
    ...left.map(
      ({ target, policyId, error }) =>
        `${target} (${policyId}): ${colors.red('not pruned')}: ${error.code}: ${error.cause}`,
    ),
  ];
}

function targetText(
  {
    target,
    policyId,
    outcome,
    error,
    blobs,
    bytes,
    blobsSkipped,
    replaced,
    referrers,
    createsRepository,
  }: SyncedTarget,
  dryRun: boolean,
  colors: ColorsOf,
): string {
  const by = policyId === null ? 'mapping' : policyId;
  if (error !== undefined) return `${target} (${by}): ${colors.red('failed')}: ${error.code}: ${error.cause}`;
  if (outcome === 'kept') return `${target} (${by}): kept, the tag names another image`;
  if (outcome === 'withheld') return `${target} (${by}): not tagged, the tag moved at the source`;
  if (outcome !== 'copied') return `${target} (${by}): unchanged${counted(referrers.length, 'referrers copied')}`;
  const verb = dryRun ? 'would copy' : colors.green('copied');
  const created = createsRepository ? `, ${dryRun ? 'would create' : 'created'} the repository` : '';
  const was = replaced === undefined ? '' : `, ${dryRun ? 'now' : 'was'} ${replaced}`;
  return `${target} (${by}): ${verb} ${blobs} blobs (${formatSize(bytes)})${counted(blobsSkipped, 'blobs present')}${counted(referrers.length, 'referrers copied')}${created}${was}`;
}

function counted(number: number, what: string): string {
  return number === 0 ? '' : `, ${number} ${what}`;
}

/** The totals, after the errors of what could not be listed and what became of surplus tags. */
export function summaryLines(
  totals: SyncTotals,
  unlisted: readonly SyncError[],
  pruned: PruneReport | undefined,
  dryRun: boolean,
  colors: ColorsOf,
): string[] {
  const surplus = pruned?.tags.filter(({ outcome }) => outcome === (dryRun ? 'listed' : 'deleted')).length ?? 0;
  const deleted = pruned === undefined ? '' : `, ${surplus} ${dryRun ? 'to delete' : 'deleted'}`;
  const { tagsCopied, tagsSkipped, tagsBlocked, tagsUnmatched, errors, bytes, blobsSkipped } = totals;
  return [
    ...unlisted.map(({ source, code, cause }) => `${source}: ${colors.red('failed')}: ${code}: ${cause}`),
    ...(pruned === undefined ? [] : pruneLines(pruned, colors)),
    `${tagsCopied} ${dryRun ? 'to copy' : 'copied'} (${formatSize(bytes)}, ${blobsSkipped} blobs present), ${tagsSkipped} skipped, ${tagsBlocked} blocked, ${tagsUnmatched} unmatched${deleted}, ${errors} errors`,
  ];
}
