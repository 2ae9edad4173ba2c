import type { DomainRecord } from '../../audit/audit-record';
import { derivedId } from '../../kernel/derived-id';
import { FailureType } from '../../kernel/failures';
import { ImageError, ImageErrorCode } from '../image-error';
import { isDigest } from '../image-reference';
import type { ManifestHead } from '../registries/descriptor';
import type { Place } from '../registries/registry';
import { RegistryError } from '../registries/registry-error';
import { toImageError } from '../registries/to-image-error';
import type { Replaced } from './find-replaced';

export interface RollbackRequest {
  place: Place;
  tag: string;
  /** a tag of the repository, or a digest */
  to: string;
  actor: string;
  reason: string;
  /** durable when it resolves */
  record(record: DomainRecord): Promise<unknown>;
  nowMs(): number;
}

export interface RollbackPlan {
  /** what the tag names; absent if there is no such tag */
  from?: string;
  /** what it is to name */
  to: string;
  /** the tag names it already */
  isDone: boolean;
}

/** What the tag is moved back to, where the caller names nothing: the image that the newest copy replaced. */
export async function replacedImage(
  { registry, repository }: Place,
  tag: string,
  replaced: Replaced | undefined,
): Promise<string> {
  const name = `${registry.name}/${repository}`;
  if (replaced === undefined) {
    const message = `the audit log knows of no copy to ${name}:${tag} that replaced another image: name the image with --to`;
    throw new ImageError(ImageErrorCode.IMAGE_NOT_FOUND, message);
  }
  const { digest, backup, by, source } = replaced;
  const now = (await registry.headManifest(repository, tag))?.digest;
  if (now !== undefined && now !== by && now !== digest) {
    const message = `${name}:${tag} names ${now}, which is not what the last sync put there (${by}): name the image with --to`;
    throw new ImageError(ImageErrorCode.POLICY_CONFLICT, message);
  }
  if ((await registry.headManifest(repository, digest)) !== undefined) return digest;
  const kept = backup === undefined ? 'it was kept under no tag' : `${backup} does not name it any more`;
  const message = `the backup of ${name}:${tag} is gone: the registry does not have ${digest}, and ${kept}. Copy it again if the source has it still: gate images copy ${source}@${digest} ${name}:${tag}`;
  throw new ImageError(ImageErrorCode.IMAGE_NOT_FOUND, message);
}

/** @throws ImageError IMAGE_NOT_FOUND, RegistryError */
export async function planRollback({ registry, repository }: Place, tag: string, to: string): Promise<RollbackPlan> {
  const [now, wanted] = await Promise.all([tag, to].map((one) => registry.headManifest(repository, one)));
  if (wanted === undefined) {
    const name = `${registry.name}/${repository}${isDigest(to) ? '@' : ':'}${to}`;
    throw new ImageError(ImageErrorCode.IMAGE_NOT_FOUND, `${name} does not exist: the backup is gone`);
  }
  const isDone = now?.digest === wanted.digest;
  return { ...(now === undefined ? {} : { from: now.digest }), to: wanted.digest, isDone };
}

/**
 * Moves a tag back to an image that its repository has. Who does it, and from what to what, is recorded before the tag is moved, and
 * what became of it after that.
 *
 * @throws ImageError IMAGE_NOT_FOUND, RegistryError, what `record` throws: the tag was not moved then
 */
export async function rollBack(request: RollbackRequest): Promise<RollbackPlan> {
  const { place, tag, to, record } = request;
  const plan = await planRollback(place, tag, to);
  if (plan.isDone) return plan;
  const decided = rollbackRecord(request, plan);
  await record(decided);
  try {
    await move(place, tag, plan.to);
  } catch (failure) {
    const cause = toImageError(failure)?.message ?? 'it failed unexpectedly';
    await record(endRecord(decided, request.nowMs(), 'failed', cause));
    throw failure;
  }
  await record(endRecord(decided, request.nowMs(), 'rolled-back'));
  return plan;
}

async function move({ registry, repository }: Place, tag: string, digest: string): Promise<void> {
  const stored = await registry.getManifest(repository, digest);
  if (stored === undefined) throw new RegistryError('missing', `${registry.name} has no ${repository}@${digest}`);
  await registry.putManifest(repository, tag, stored);
  const after: ManifestHead | undefined = await registry.headManifest(repository, tag);
  if (after?.digest === digest) return;
  const message = `${registry.name}: expected ${repository}:${tag} to be ${digest}, found ${after?.digest ?? 'nothing'}`;
  throw new RegistryError('invalid', message);
}

function rollbackRecord(
  { place, tag, actor, reason, nowMs: now }: RollbackRequest,
  { from, to }: RollbackPlan,
): DomainRecord {
  const subject = `${place.registry.name}/${place.repository}`;
  const nowMs = now();
  return {
    schemaVersion: 2,
    domain: 'images',
    subject,
    part: tag,
    decisionID: derivedId('image-rollback', subject, tag, to, String(nowMs)),
    kind: 'rollback',
    timestamp: new Date(nowMs).toISOString(),
    reasons: [],
    errorDetails: [],
    usedFacts: [],
    actor,
    reason,
    details: { to, ...(from === undefined ? {} : { from }) },
  };
}

function endRecord(
  decided: DomainRecord,
  nowMs: number,
  outcome: 'rolled-back' | 'failed',
  cause?: string,
): DomainRecord {
  const errorDetails = cause === undefined ? [] : [{ type: FailureType.ActionFailed, message: cause.slice(0, 2_000) }];
  return {
    ...decided,
    decisionID: derivedId('image-rolled-back', decided.decisionID, outcome),
    kind: 'acted',
    timestamp: new Date(nowMs).toISOString(),
    refersTo: decided.decisionID,
    errorDetails,
    details: { ...decided.details, outcome },
  };
}
