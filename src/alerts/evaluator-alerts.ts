import { hasSameContent, type ReleaseRef } from '../releases/release-ref';
import type { Alert } from './alert';
import { createAlertQueue, type UnawaitedAlerts } from './alert-queue';

/** Where a disagreement was found. Its answers may hold masked values: the alert leads to the record, which is masked. */
export interface DisagreementPlace {
  decisionId: string;
  deploymentId: string;
  stage: string;
}

/**
 * One alert for each release whose two evaluators do not agree on an allow: it fires at the first such decision, and is resolved
 * when another release is in force. The deployment's own pause alerts besides, where the stage is enforced.
 */
export interface EvaluatorAlerts {
  disagreed(release: ReleaseRef, place: DisagreementPlace): void;
  /** a release is in force now */
  loaded(release: ReleaseRef): void;
}

export function createEvaluatorAlerts(unawaited: UnawaitedAlerts): EvaluatorAlerts {
  const firing = new Map<string, { release: ReleaseRef; alert: Alert }>();
  const { nowMs } = unawaited;
  const queue = createAlertQueue(unawaited);
  return {
    disagreed: (release, place) => {
      const fingerprint = `evaluators-disagree-${release.policySha}-${release.configRev}`;
      if (firing.has(fingerprint)) return;
      const alert = disagreementAlert(fingerprint, release, place, nowMs());
      firing.set(fingerprint, { release, alert });
      queue(alert);
    },
    loaded: (release) => {
      for (const [fingerprint, { release: blamed, alert }] of [...firing]) {
        if (hasSameContent(blamed, release)) continue;
        firing.delete(fingerprint);
        const summary = `Release ${release.manifestVersion} is in force`;
        queue({ ...alert, status: 'resolved', summary, endsAtMs: nowMs() });
      }
    },
  };
}

function disagreementAlert(
  fingerprint: string,
  { manifestVersion }: ReleaseRef,
  { decisionId, deploymentId, stage }: DisagreementPlace,
  startsAtMs: number,
): Alert {
  return {
    status: 'firing',
    fingerprint,
    name: 'EvaluatorsDisagree',
    deploymentId,
    stage,
    summary: `The two evaluators of release ${manifestVersion} do not agree: what only one allows is an error`,
    description:
      `The policy's plan allowed ${deploymentId} / ${stage}, and its compiled module did not. ` +
      `gate audit show ${decisionId} has both answers. ` +
      'Further disagreements under this release alert no more; gate_second_opinions_total counts them.',
    startsAtMs,
    reminder: 0,
  };
}
