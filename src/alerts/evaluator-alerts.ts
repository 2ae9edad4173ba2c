import type { ReleaseRef } from '../releases/release-ref';
import type { Alert } from './alert';
import type { StandingAlerts } from './standing-alerts';

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

const NAME = 'EvaluatorsDisagree';

export function createEvaluatorAlerts({
  standing,
  nowMs,
}: {
  standing: StandingAlerts;
  nowMs(): number;
}): EvaluatorAlerts {
  return {
    disagreed: (release, place) => standing.raise(disagreementAlert(release, place, nowMs())),
    loaded: (release) =>
      standing.lower(
        { names: [NAME], except: new Set([fingerprintOf(release)]) },
        `Release ${release.manifestVersion} is in force`,
      ),
  };
}

function fingerprintOf({ policySha, configRev }: ReleaseRef): string {
  return `evaluators-disagree-${policySha}-${configRev}`;
}

function disagreementAlert(
  release: ReleaseRef,
  { decisionId, deploymentId, stage }: DisagreementPlace,
  startsAtMs: number,
): Alert {
  return {
    status: 'firing',
    fingerprint: fingerprintOf(release),
    name: NAME,
    deploymentId,
    stage,
    summary: `The two evaluators of release ${release.manifestVersion} do not agree: what only one allows is an error`,
    description:
      `The policy's plan allowed ${deploymentId} / ${stage}, and its compiled module did not. ` +
      `gate audit show ${decisionId} has both answers. ` +
      'Further disagreements under this release alert no more; gate_second_opinions_total counts them.',
    startsAtMs,
    reminder: 0,
  };
}
