import type { AuditRecord, DomainRecord, RecordKind } from '../../audit/audit-record';
import { derivedId } from '../../kernel/derived-id';
import { FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import type { ImageFault } from '../image-error';
import type { PlannedImage } from './plan-image';
import { WHY_CREATED } from '../registries/repository-creator';
import type { SurplusTag } from '../progress/prune-report';
import { nameOf } from './sync-context';
import type { SyncJournal } from './sync-journal';
import type { SyncedTarget } from '../progress/sync-report';

export interface AuditJournalParts {
  /** durable when it resolves; an id that is there already is adopted */
  record(record: AuditRecord): Promise<unknown>;
  /** undefined where records cannot be read */
  find?(decisionID: string): Promise<AuditRecord | undefined>;
  /** the sync: its first run in Temporal */
  sync: string;
  workflowId: string;
  actor: string;
  /** of the policies, by their content */
  revision: string;
  /** whether an earlier attempt may have done something that it could not record */
  isRepeated: boolean;
  nowMs(): number;
}

/** Characters of a reason. */
const REASON_CHARS = 2_000;

/**
 * What a sync decides and does, in the audit log. A decision to copy is recorded before anything is sent, once a sync. A refusal is
 * recorded once for an image, its policies and its reason, so that a schedule does not repeat it.
 */
export function createSyncJournal(parts: AuditJournalParts): SyncJournal {
  const { record, sync, revision } = parts;
  const decisionOf = ({ candidate, digest }: PlannedImage) =>
    derivedId('image-decision', sync, nameOf(candidate), digest ?? '');
  const actOf = (planned: PlannedImage, target: string, outcome: string) =>
    derivedId('image-copy', decisionOf(planned), target, outcome);

  function toRecord(
    planned: PlannedImage,
    own: Pick<DomainRecord, 'decisionID' | 'reason'> &
      Partial<DomainRecord> & { kind: RecordKind; details: JsonObject },
  ): DomainRecord {
    const { candidate, digest, decision } = planned;
    return {
      ...NO_FACTS,
      subject: `${candidate.registry}/${candidate.repository}`,
      part: candidate.tag,
      timestamp: new Date(parts.nowMs()).toISOString(),
      policySHA: revision,
      workflowID: parts.workflowId,
      actor: parts.actor,
      ...own,
      reason: shortText(own.reason ?? '', REASON_CHARS),
      details: {
        sync,
        ...(digest === undefined ? {} : { digest }),
        ...(decision === undefined ? {} : { policies: [...decision.matchedPolicies], degraded: decision.degraded }),
        ...own.details,
      },
    };
  }

  const pruneOf = (surplus: SurplusTag) => derivedId('image-prune', sync, nameOf(surplus), surplus.digest);
  const toPruneRecord = (
    { registry, repository, tag, digest, policyId }: SurplusTag,
    own: Pick<DomainRecord, 'decisionID' | 'kind' | 'reason'> & Partial<DomainRecord>,
    outcome: string,
  ): DomainRecord => ({
    ...NO_FACTS,
    subject: `${registry}/${repository}`,
    part: tag,
    timestamp: new Date(parts.nowMs()).toISOString(),
    policySHA: revision,
    workflowID: parts.workflowId,
    actor: parts.actor,
    ...own,
    details: { sync, digest, policies: [policyId], outcome },
  });

  return {
    async pruning(surplus) {
      const reason =
        surplus.images === undefined
          ? `no image of the sources of ${surplus.policyId} goes to the tag: it is deleted`
          : 'the tag belongs to an image that was deleted: it is deleted, too';
      const own = { decisionID: pruneOf(surplus), kind: 'decision', outcome: 'allow', reason } as const;
      await record(toPruneRecord(surplus, own, 'prune'));
    },
    async pruned(surplus, { outcome, error }) {
      const decided = pruneOf(surplus);
      const own = {
        decisionID: derivedId('image-pruned', decided, outcome),
        kind: 'acted',
        refersTo: decided,
        reason: error === undefined ? 'the tag was deleted' : shortText(error.cause, REASON_CHARS),
        errorDetails: errorsOf(error),
      } as const;
      await record(toPruneRecord(surplus, own, outcome));
    },
    async decided(planned) {
      const targets = planned.status === 'replicate' ? planned.targets : [];
      await record(
        toRecord(planned, {
          decisionID: decisionOf(planned),
          kind: 'decision',
          outcome: 'allow',
          reason: planned.decision?.reason ?? '',
          details: { targets: targets.map((target) => ({ target: nameOf(target), policy: target.policyId })) },
        }),
      );
    },
    async creating(planned, { registry, repository, policyId }) {
      const name = `${registry}/${repository}`;
      await record({
        ...NO_FACTS,
        decisionID: derivedId('image-repository', sync, name),
        kind: 'decision',
        outcome: 'allow',
        subject: name,
        part: '',
        timestamp: new Date(parts.nowMs()).toISOString(),
        policySHA: revision,
        workflowID: parts.workflowId,
        actor: parts.actor,
        refersTo: decisionOf(planned),
        reason: WHY_CREATED,
        details: { sync, policies: policyId === null ? [] : [policyId], outcome: 'create-repository' },
      });
    },
    async refused(planned) {
      const reason = planned.decision?.reason ?? '';
      const isError = planned.status === 'failed';
      const errors = isError ? planned.errors : [];
      const decisionID = derivedId('image-refusal', nameOf(planned.candidate), planned.digest ?? '', revision, reason);
      const known = await parts.find?.(decisionID);
      await record(
        toRecord(planned, {
          decisionID,
          kind: 'decision',
          outcome: isError ? 'error' : 'deny',
          reason,
          reasons: isError ? [] : [shortText(reason, REASON_CHARS)],
          errorDetails: errors.map(({ cause }) => ({
            type: FailureType.PolicyEvaluation,
            message: shortText(cause, REASON_CHARS),
          })),
          details: {},
        }),
      );
      return known === undefined;
    },
    async acted(planned, { target, policyId, outcome, digest, blobs, bytes, blobsSkipped, ...more }) {
      await record(
        toRecord(planned, {
          decisionID: actOf(planned, target, outcome),
          kind: 'acted',
          refersTo: decisionOf(planned),
          reason: sentenceOf(outcome, more.error?.cause),
          errorDetails: errorsOf(more.error),
          details: {
            target,
            policy: policyId,
            outcome,
            ...(digest === undefined ? {} : { targetDigest: digest }),
            ...{ blobs, bytes, blobsSkipped },
            ...lists(more),
            ...(more.replaced === undefined ? {} : { replaced: more.replaced }),
            ...(more.backup === undefined ? {} : { backup: more.backup }),
          },
        }),
      );
    },
    async copiedBefore(planned, target) {
      if (!parts.isRepeated || parts.find === undefined) return undefined;
      if ((await parts.find(decisionOf(planned))) === undefined) return undefined;
      return (await parts.find(actOf(planned, target, 'copied'))) === undefined ? 'untold' : 'told';
    },
  };
}

const NO_FACTS = {
  schemaVersion: 2,
  domain: 'images',
  reasons: [],
  errorDetails: [],
  usedFacts: [],
} satisfies Partial<DomainRecord>;

function errorsOf(error: ImageFault | undefined): DomainRecord['errorDetails'] {
  if (error === undefined) return [];
  return [{ type: FailureType.ActionFailed, message: shortText(error.cause, REASON_CHARS) }];
}

function sentenceOf(outcome: SyncedTarget['outcome'], cause: string | undefined): string {
  switch (outcome) {
    case 'copied':
      return 'copied, and found whole at the target';
    case 'withheld':
      return 'not tagged: the tag moved at the source meanwhile';
    case 'failed':
      return cause ?? 'failed';
    case 'unchanged':
      return 'unchanged; its referrers were copied';
    case 'kept':
      return 'the target keeps its own image under the tag';
    default:
      return outcome satisfies never;
  }
}

function lists({ referrers, absent, foreign }: Pick<SyncedTarget, 'referrers' | 'absent' | 'foreign'>): JsonObject {
  return Object.fromEntries(
    Object.entries({ referrers, absent, foreign })
      .filter(([, digests]) => digests.length > 0)
      .map(([key, digests]) => [key, [...digests]]),
  );
}
