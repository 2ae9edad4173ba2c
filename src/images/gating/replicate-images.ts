import type { AuditRecord } from '../../audit/audit-record';
import { messageOf } from '../../kernel/message-of';
import type { ActionContext, ActionResult, ReplicateImageAction } from '../../gate/actions/action';
import { ActionError } from '../../gate/actions/action-error';
import type { ActionRunner, RunOptions } from '../../gate/actions/action-kind';
import { formatSize } from '../conditions/image-size';
import { replicateImage } from '../copying/replicate-image';
import { resolveDigest } from '../copying/resolve-digest';
import { selectPlatforms } from '../copying/select-platforms';
import { formatImageReference, type ImageReference } from '../image-reference';
import { RegistryError } from '../registries/registry-error';
import type { Place } from '../registries/registry';
import type { Images } from '../service/open-images';
import { blockOf } from './block-of';
import { createReplicationRecords, type Pinned } from './replication-records';
import { toReplication, type Replication } from './replicate-image-action';

export interface ReplicationParts {
  images: Pick<Images, 'registries' | 'inForce'>;
  /** durable when it resolves; an id that is there already is adopted */
  record<R extends AuditRecord>(record: R): Promise<R>;
  /** undefined for what is not there, and where records cannot be read */
  find(decisionID: string): Promise<AuditRecord | undefined>;
  nowMs(): number;
}

/**
 * Replicates images as actions of the gate. Which image a tag names is found out once for each decision that allows the action, and
 * recorded before anything is sent: every attempt copies the same one. Nothing counts as sent before the target's tag is about to
 * move, because no reader sees what is there under digests alone; so each attempt until then needs the allow to hold.
 */
export function createImageReplication(parts: ReplicationParts): ActionRunner<ReplicateImageAction> {
  const { images } = parts;
  const { registries } = images;

  function prepare(spec: ReplicateImageAction, context: ActionContext, signal: AbortSignal) {
    const { replication, faults } = toReplication(spec, context, (name) => registries.hostOf(name));
    if (replication === undefined) {
      const message = faults.map((fault) => fault.message).join('; ');
      throw new ActionError(message, { retryable: false, mayHaveBeenSent: false, faults });
    }
    for (const key of ['source', 'target'] as const) {
      const { registry } = replication[key];
      if (registries.isNamed(registry)) continue;
      const message = `Expected the registry of action.${key} to be one of the worker's settings (registries), got ${registry}`;
      throw new ActionError(message, { retryable: false, mayHaveBeenSent: false, where: `action.${key}` });
    }
    const placeOf = ({ registry, repository }: ImageReference): Place => ({
      registry: registries.open(registry).within({ signal }),
      repository,
    });
    return { replication, from: placeOf(replication.source), to: placeOf(replication.target) };
  }

  async function pin(spec: ReplicateImageAction, prepared: ReturnType<typeof prepare>): Promise<Pinned> {
    const { replication, from, to } = prepared;
    const { source, target } = replication;
    const digest = source.digest ?? (await resolveDigest(from, source.tag!));
    const blocked = await blockOf(await images.inForce(), from, source.tag ?? null, digest);
    if (blocked !== undefined) throw new Refused(`replication blocked by policy: ${blocked}`);
    const before = target.tag === undefined ? undefined : await to.registry.headManifest(to.repository, target.tag);
    const targetDigest = spec.platforms === undefined ? digest : await subsetOf(from, digest, spec.platforms);
    const replaces = before === undefined || before.digest === targetDigest ? {} : { replaces: before.digest };
    return { digest, targetDigest, ...replaces };
  }

  async function run(
    spec: ReplicateImageAction,
    context: ActionContext,
    { signal, hidesValues = false }: RunOptions,
  ): Promise<ActionResult> {
    const prepared = prepare(spec, context, signal);
    const { replication, from, to } = prepared;
    const { target, backupTag } = replication;
    const name = hidesValues ? `${spec.source} -> ${spec.target}` : nameOf(replication);
    const records = createReplicationRecords(parts, spec, replication, context, hidesValues);
    let isMoving = false;
    try {
      const known = await records.pinned();
      const pinned = known ?? (await records.decided(await pin(spec, prepared)));
      if (known !== undefined) {
        const blocked = await blockOf(await images.inForce(), from, replication.source.tag ?? null, pinned.digest);
        if (blocked !== undefined) throw new Refused(`replication blocked by policy: ${blocked}`);
      }
      const { noOverwrite, platforms, incomplete } = spec;
      const copied = await replicateImage({
        source: from,
        digest: pinned.digest,
        target: to,
        signal,
        referrersOfUnchanged: true,
        ...(target.tag === undefined ? {} : { tag: target.tag }),
        ...(backupTag === undefined ? {} : { backupTag }),
        ...(noOverwrite === undefined ? {} : { noOverwrite }),
        ...(platforms === undefined ? {} : { platforms }),
        ...(incomplete === undefined ? {} : { incomplete }),
        beforeCreate: () => records.creating(),
        isStillNamed: async () => {
          if (signal.aborted) return false;
          isMoving = true;
          return true;
        },
      });
      if (copied.outcome === 'withheld') throw new Refused('it was stopped');
      if (copied.outcome === 'kept')
        throw new Refused(`the target's tag ${target.tag ?? ''} names another image, and noOverwrite is set`);
      await records.acted(copied.outcome, copied);
      const sent = `${copied.blobsSent + copied.blobsMounted} blobs (${formatSize(copied.bytesSent)})`;
      return {
        summary: `${name}: ${copied.outcome === 'copied' ? `copied ${sent}` : 'unchanged'}`,
        outputs: { digest: pinned.targetDigest, sourceDigest: pinned.digest, outcome: copied.outcome },
      };
    } catch (error) {
      const failure = toActionError(error, name, signal, isMoving);
      if (!signal.aborted) await records.failed(failure.message);
      throw failure;
    }
  }

  async function compensate(
    spec: ReplicateImageAction,
    context: ActionContext,
    { signal, hidesValues = false }: RunOptions,
  ): Promise<ActionResult> {
    if (spec.compensate !== true) return { summary: 'no compensation is defined' };
    const { replication, to } = prepare(spec, context, signal);
    const { tag } = replication.target;
    const name = hidesValues ? spec.target : formatImageReference(replication.target);
    const records = createReplicationRecords(parts, spec, replication, context, hidesValues);
    try {
      const pinned = await records.pinned();
      if (pinned === undefined) return { summary: `${name}: no record says what it named before, and it stays` };
      const { replaces, targetDigest } = pinned;
      if (tag === undefined || replaces === undefined)
        return { summary: `${name}: it named nothing before, and stays` };
      const { registry, repository } = to;
      const now = await registry.headManifest(repository, tag);
      if (now?.digest === replaces) return { summary: `${name}: names ${replaces}` };
      if (now?.digest !== targetDigest) return { summary: `${name}: names another image by now, and stays` };
      const manifest = await registry.getManifest(repository, replaces);
      if (manifest === undefined) throw new Refused(`the registry does not have ${replaces} any more`);
      await registry.putManifest(repository, tag, manifest);
      const after = await registry.headManifest(repository, tag);
      if (after?.digest !== replaces) throw new Refused(`expected ${replaces}, found ${after?.digest ?? 'nothing'}`);
      await records.movedBack(replaces);
      return { summary: `${name}: moved back to ${replaces}` };
    } catch (error) {
      throw toActionError(error, name, signal, true);
    }
  }

  return { run, compensate };
}

/** What no further attempt changes. */
class Refused extends Error {}

function toActionError(error: unknown, name: string, signal: AbortSignal, mayHaveBeenSent: boolean): ActionError {
  if (error instanceof ActionError) return error;
  if (signal.aborted)
    return new ActionError(`${name}: stopped`, { retryable: true, mayHaveBeenSent, where: name, cause: error });
  const isFinal =
    error instanceof Refused ||
    (error instanceof RegistryError && error.failure !== 'unavailable') ||
    isNotFound(error);
  return new ActionError(`${name}: ${messageOf(error)}`, {
    retryable: !isFinal,
    mayHaveBeenSent,
    where: name,
    cause: error,
  });
}

function isNotFound(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'IMAGE_NOT_FOUND';
}

async function subsetOf({ registry, repository }: Place, digest: string, platforms: readonly string[]) {
  const stored = await registry.getManifest(repository, digest);
  if (stored === undefined) throw new RegistryError('missing', `${registry.name} has no ${repository}@${digest}`);
  return selectPlatforms(stored, platforms).digest;
}

function nameOf({ source, target }: Replication): string {
  return `${formatImageReference(source)} -> ${formatImageReference(target)}`;
}
