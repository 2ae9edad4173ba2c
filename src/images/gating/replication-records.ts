import type { AuditRecord, DomainRecord } from '../../audit/audit-record';
import type { ActionContext, ReplicateImageAction } from '../../gate/actions/action';
import { derivedId } from '../../kernel/derived-id';
import { FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import type { CopyImageResult } from '../copying/copy-image';
import { formatImageReference } from '../image-reference';
import { WHY_CREATED } from '../registries/repository-creator';
import { splitReference } from '../reference-template';
import type { Replication } from './replicate-image-action';

/** What is copied, found out once. */
export interface Pinned {
  /** of the image at the source */
  digest: string;
  /** of the image at the target: another one if platforms are left out */
  targetDigest: string;
  /** what the target's tag named before */
  replaces?: string;
}

export interface RecordParts {
  record<R extends AuditRecord>(record: R): Promise<R>;
  find(decisionID: string): Promise<AuditRecord | undefined>;
  nowMs(): number;
}

const REASON_CHARS = 2_000;

/** What an action does with an image, in the audit log, beside the gate's own record of the action. */
export function createReplicationRecords(
  { record, find, nowMs }: RecordParts,
  spec: ReplicateImageAction,
  { source, target }: Replication,
  context: ActionContext,
  hidesValues: boolean,
) {
  const { deployment_id: deployment, stage, decision_id: decision } = context;
  const id = derivedId('image-action', decision, deployment, stage);
  // Where values of the deployment are masked, the image is told as it is written, templates and all.
  const split = splitReference(spec.source);
  const written = hidesValues && typeof split !== 'string' ? split : source;
  const about = {
    schemaVersion: 2 as const,
    domain: 'images' as const,
    subject: `${written.registry}/${written.repository}`,
    part: written.tag ?? '',
    reasons: [],
    usedFacts: [],
    actor: 'gate',
  } satisfies Partial<DomainRecord>;
  const details = { target: hidesValues ? spec.target : formatImageReference(target), deployment, stage, decision };
  const act = (outcome: string, reason: string, more: JsonObject, fault?: string): DomainRecord => ({
    ...about,
    decisionID: derivedId('image-action-end', id, outcome),
    kind: 'acted',
    refersTo: id,
    timestamp: new Date(nowMs()).toISOString(),
    reason: shortText(reason, REASON_CHARS),
    errorDetails:
      fault === undefined ? [] : [{ type: FailureType.ActionFailed, message: shortText(fault, REASON_CHARS) }],
    details: { ...details, outcome, ...more },
  });
  return {
    /** what an earlier attempt found out */
    async pinned(): Promise<Pinned | undefined> {
      const known = await find(id);
      return known === undefined ? undefined : pinnedOf(known);
    },
    /** @returns what is to be copied: another attempt may have found it out first */
    async decided({ digest, targetDigest, replaces }: Pinned): Promise<Pinned> {
      const kept = await record<DomainRecord>({
        ...about,
        decisionID: id,
        kind: 'decision',
        outcome: 'allow',
        refersTo: decision,
        timestamp: new Date(nowMs()).toISOString(),
        reason: `the deployment ${deployment} replicates it in stage ${stage}`,
        errorDetails: [],
        details: { ...details, digest, targetDigest, ...(replaces === undefined ? {} : { replaces }) },
      });
      return pinnedOf(kept);
    },
    async acted(outcome: string, copied: CopyImageResult): Promise<void> {
      const { digest, blobsSent, blobsMounted, bytesSent, blobsSkipped, absent, foreign, replaced } = copied;
      const reason = outcome === 'copied' ? 'copied, and found whole at the target' : 'the target has it';
      await record(
        act(outcome, reason, {
          targetDigest: digest,
          ...{ blobs: blobsSent + blobsMounted, bytes: bytesSent, blobsSkipped },
          ...(absent.length === 0 ? {} : { absent: [...absent] }),
          ...(foreign.length === 0 ? {} : { foreign: [...foreign] }),
          ...(replaced === undefined ? {} : { replaced }),
        }),
      );
    },
    /** The target's repository is missing and about to be created; without a record it is not. */
    async creating(): Promise<void> {
      await record(act('create-repository', WHY_CREATED, {}));
    },
    /** The gate's own record says it too, so that an audit log out of reach changes nothing. */
    async failed(cause: string): Promise<void> {
      await record(act('failed', cause, {}, cause)).catch(() => undefined);
    },
    async movedBack(digest: string): Promise<void> {
      await record(act('moved-back', 'the tag names again what it named before', { targetDigest: digest }));
    },
  };
}

function pinnedOf({ details = {} }: AuditRecord): Pinned {
  const { digest, targetDigest, replaces } = details as unknown as Pinned;
  return { digest, targetDigest, ...(replaces === undefined ? {} : { replaces }) };
}
