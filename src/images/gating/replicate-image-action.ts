import { isDuration } from '../../kernel/duration';
import { FailureType, type Fault } from '../../kernel/failures';
import type { ActionContext, ReplicateImageAction } from '../../gate/actions/action';
import type { ActionKind } from '../../gate/actions/action-kind';
import { renderText } from '../../gate/actions/template';
import { isTag, type ImageReference } from '../image-reference';
import { isPlatform } from '../platform';
import { isSamePlace, joinReference, splitReference } from '../reference-template';

/** Copies an image between registries. What it does is in `replicate-images.ts`. */
export const replicateImageAction: ActionKind<ReplicateImageAction> = {
  type: 'replicate-image',
  check: (spec, context) => toReplication(spec, context, (registry) => registry).faults,
  create: ({ replicateImage }) => replicateImage,
};

/** What is copied where, with templates filled in. */
export interface Replication {
  source: ImageReference;
  target: ImageReference;
  backupTag?: string;
}

/**
 * @param hostOf the host of a registry that a reference names
 * @returns every fault; a replication where there is none
 */
export function toReplication(
  spec: ReplicateImageAction,
  context: ActionContext,
  hostOf: (registry: string) => string,
): { replication?: Replication; faults: Fault[] } {
  const faults: Fault[] = [];
  const say = (where: string, sentence: string): void =>
    void faults.push({ type: FailureType.ConfigInvalid, message: `${where}: ${sentence}`, where });
  const source = reference(spec.source, 'action.source');
  const target = reference(spec.target, 'action.target');
  if (source !== undefined && source.tag === undefined && source.digest === undefined)
    say('action.source', `expected a tag or a digest behind the repository, got "${spec.source}"`);
  if (target?.digest !== undefined) say('action.target', 'expected no digest: the image keeps that of the source');
  const backupTag = spec.backupTag === undefined ? undefined : rendered(spec.backupTag, 'action.backupTag');
  if (backupTag !== undefined && !isTag(backupTag)) say('action.backupTag', `expected a tag, got "${backupTag}"`);
  for (const [index, platform] of (spec.platforms ?? []).entries())
    if (!isPlatform(platform))
      say(`action.platforms.${index}`, `expected a platform such as linux/arm64, got "${platform}"`);
  if (spec.timeout !== undefined && isDuration(spec.timeout) && Number.parseFloat(spec.timeout) === 0)
    say('action.timeout', `expected a time longer than 0, got "${spec.timeout}"`);
  if (source === undefined || target === undefined) return { faults };
  const tagged = { ...target, ...((target.tag ?? source.tag) === undefined ? {} : { tag: target.tag ?? source.tag }) };
  if (isSamePlace(source, tagged)) say('action.target', 'expected another place than action.source');
  if (backupTag !== undefined && backupTag === tagged.tag)
    say('action.backupTag', `expected another tag than the target's, got "${backupTag}"`);
  if (faults.length > 0) return { faults };
  return { faults, replication: { source, target: tagged, ...(backupTag === undefined ? {} : { backupTag }) } };

  function rendered(text: string, where: string): string | undefined {
    const before = faults.length;
    const filled = renderText(text, context, { where, faults });
    return faults.length > before ? undefined : filled;
  }

  /** Each part is filled by itself, so that a value stays in its part. */
  function reference(text: string, where: string): ImageReference | undefined {
    const split = splitReference(text);
    if (typeof split === 'string') return void say(where, split);
    const { registry, ...parts } = split;
    const filled = Object.entries(parts).map(([part, template]) => [part, rendered(template, where)] as const);
    if (filled.some(([, value]) => value === undefined)) return undefined;
    const joined = joinReference({ registry, ...Object.fromEntries(filled) } as typeof split, hostOf(registry));
    return typeof joined === 'string' ? void say(where, joined) : joined;
  }
}
