import type { Alert } from '../../alerts/alert';
import { alertLabels, type AlertLabels } from '../../alerts/alert-labels';
import { derivedId } from '../../kernel/derived-id';
import type { SyncedImage } from '../progress/sync-report';

/** What people are told of an image, for the policies whose `notify` applies to it. Public: the names of alerts. */
const NAMES = {
  copied: ['ImageCopied', 'info'],
  blocked: ['ImageBlocked', 'warning'],
  failed: ['ImageFailed', 'warning'],
} as const;

/** Undefined where there is nothing to tell. @param own labels of the settings */
export function imageAlert(image: SyncedImage, own: AlertLabels, nowMs: number): Alert | undefined {
  const { source, status, digests, reason, notify = [], targets } = image;
  if (notify.length === 0 || !(status in NAMES)) return undefined;
  const [name, severity] = NAMES[status as keyof typeof NAMES];
  const copied = targets.filter(({ outcome }) => outcome === 'copied').map(({ target }) => target);
  const summary =
    status === 'copied'
      ? `${source} was copied to ${copied.join(', ')}`
      : status === 'blocked'
        ? `${source}: replication blocked by policy: ${reason ?? ''}`
        : `${source} could not be replicated: ${reason ?? ''}`;
  return {
    status: 'firing',
    fingerprint: derivedId('image', source, status, digests.at(-1) ?? '', reason ?? ''),
    name,
    severity,
    labels: { ...alertLabels({ name, severity }, own), image: source },
    summary,
    description: [
      `Policies: ${notify.join(', ')}`,
      ...(digests.length === 0 ? [] : [`Digest: ${digests.at(-1)}`]),
      'gate audit list --domain images shows what was decided',
    ].join('\n'),
    startsAtMs: nowMs,
    reminder: 0,
  };
}
