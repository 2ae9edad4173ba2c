import type { JsonObject } from '../../kernel/json';
import type { CopyRetry } from '../copy-options';
import type { RetryPolicy } from '../policies/policy-document';
import { parseDuration } from '../../kernel/duration';
import { allOf, type Truth } from '../../rules/conditions/truth';
import type { Judged } from '../conditions/compile-comparison';
import { ImageErrorCode, type ImageFault } from '../image-error';
import type { ImageMetadata } from '../image-metadata';
import type { SignatureCheck } from '../signatures/signature-check';
import type { TagChooser } from '../policies/choose-tags';
import type { CompiledAction, ImagePolicy, PolicySource } from '../policies/image-policy';
import type { ConditionResult, DecidedAction, PolicyResult } from './decision';

/** What one policy says of one image. */
export type PolicyAnswer = Omit<PolicyResult, 'evaluationTime'> & { truth: Truth };

export interface Surroundings {
  /** the host of a registry that a policy names */
  registryOf: (name: string) => string;
  /** whether `latest` of a tag set chooses a tag among all of its repository; every tag by default */
  isLatest?: (set: TagChooser, tag: string) => boolean;
}

/**
 * Whether a policy is certain not to match an image, by the truth alone: what `evaluatePolicy` says with its reasons costs many times
 * as much.
 */
export function isOut(
  { source, compiled }: ImagePolicy,
  image: ImageMetadata,
  nowMs: number,
  surroundings: Required<Surroundings>,
): boolean {
  if (source !== undefined && coveredBy(source, image, nowMs, surroundings).truth === 'false') return true;
  return compiled.truth(image, nowMs) === 'false';
}

/** Evaluates one policy for one image. */
export function evaluatePolicy(
  policy: ImagePolicy,
  image: ImageMetadata,
  nowMs: number,
  { registryOf, isLatest = () => true }: Surroundings,
): PolicyAnswer {
  const covered =
    policy.source === undefined ? COVERED : coveredBy(policy.source, image, nowMs, { registryOf, isLatest });
  if (covered.truth === 'false')
    return { policyId: policy.id, truth: 'false', matched: false, conditionResults: [], actions: [] };
  const judged = policy.compiled.parts.map((part) => part(image, nowMs));
  const joined = policy.compiled.join(judged);
  const truth = allOf([covered.truth, joined.truth]);
  const conditionResults = judged.map((one, index) => resultOf(policy, one, index));
  if (truth === 'unknown')
    return unknownAnswer(policy, joined.truth === 'unknown' ? joined : covered, conditionResults);
  const matching = { policyId: policy.id, truth, matched: truth === 'true', conditionResults };
  if (truth === 'false') return { ...matching, actions: [] };
  const signature = signatureOf(policy, image);
  const answer = { ...matching, ...(signature === undefined ? {} : { signature }) };
  if (signature?.verified === false && signature.enforce === 'enforce') {
    const notifies = policy.actions.flatMap((action) => (action.document.type === 'notify' ? [action] : []));
    const decided = notifies.map((action) => decide(policy, action, image) as DecidedAction);
    return {
      ...answer,
      actions: [{ type: 'block', policyId: policy.id, reason: signatureReason(signature) }, ...decided],
    };
  }
  const actions: DecidedAction[] = [];
  const faults: string[] = [];
  for (const action of policy.actions) {
    const decided = decide(policy, action, image);
    if (typeof decided === 'string') faults.push(decided);
    else actions.push(decided);
  }
  if (faults.length === 0) return { ...answer, actions };
  const error: ImageFault = { code: ImageErrorCode.ACTION_EXEC_ERROR, policyId: policy.id, cause: faults.join('; ') };
  return { ...answer, actions, error };
}

/** Undefined for a policy that asks for no signature. A check that is missing is one that could not be made. */
function signatureOf({ id, signature }: ImagePolicy, { signatures }: ImageMetadata): PolicyAnswer['signature'] {
  if (signature === undefined) return undefined;
  const check = signatures?.get(id) ?? { verified: false, reasons: ['the signatures could not be read'] };
  return { ...check, enforce: signature.enforce };
}

/** Why a signature is not verified, as one sentence. */
export function signatureReason({ reasons }: Pick<SignatureCheck, 'reasons'>): string {
  return `no signature was verified: ${reasons.join('; ')}`;
}

/** A policy that was not evaluated, or not completely. If it has a block action it blocks, as it may match. */
export function unknownAnswer(
  policy: ImagePolicy,
  { reason, error }: Pick<Judged, 'reason' | 'error'>,
  conditionResults: readonly ConditionResult[],
): PolicyAnswer {
  const cause = error === undefined ? reason : `${reason}: ${error}`;
  const isBlocking = policy.actions.some(({ document }) => document.type === 'block');
  return {
    policyId: policy.id,
    truth: 'unknown',
    matched: false,
    conditionResults,
    actions: isBlocking ? [{ type: 'block', policyId: policy.id, reason: `${policy.name}: ${cause}` }] : [],
    error: { code: ImageErrorCode.CONDITION_EVAL_ERROR, policyId: policy.id, cause },
  };
}

const COVERED: Judged = { truth: 'true', reason: 'it is about every image' };

/** Whether a policy is about an image by its name. */
function coveredBy(
  { registry, fitsRepository, tags }: PolicySource,
  image: ImageMetadata,
  nowMs: number,
  { registryOf, isLatest }: Required<Surroundings>,
): Judged {
  const no: Judged = { truth: 'false', reason: 'it is about other images' };
  if (registryOf(registry) !== image.registry || !fitsRepository(image.repository)) return no;
  if (tags.length === 0) return COVERED;
  const { tag, createdAtMs } = image;
  if (tag === null) return no;
  const named = tags.filter((set) => set.byName([tag]).length > 0 && isLatest(set, tag));
  if (named.some((set) => set.isYoungEnough(createdAtMs, nowMs) === true)) return COVERED;
  if (named.every((set) => set.isYoungEnough(createdAtMs, nowMs) === false)) return no;
  return { truth: 'unknown', reason: 'the age could not be read, which newerThan of the source needs' };
}

function resultOf(policy: ImagePolicy, { truth, reason, error }: Judged, index: number): ConditionResult {
  const condition = policy.conditions[index]!;
  const result = { condition, matched: truth === 'true', reason };
  if (truth !== 'unknown') return result;
  const cause = error ?? reason;
  return { ...result, error: { code: ImageErrorCode.CONDITION_EVAL_ERROR, policyId: policy.id, cause } };
}

/** @returns a sentence where the action cannot be carried out for this image */
function decide(policy: ImagePolicy, action: CompiledAction, image: ImageMetadata): DecidedAction | string {
  const policyId = policy.id;
  const { document } = action;
  if (document.type === 'block')
    return { type: 'block', policyId, reason: document.parameters?.reason ?? `blocked by policy ${policyId}` };
  if (document.type === 'notify')
    return { type: 'notify', policyId, parameters: (document.parameters ?? {}) as JsonObject };
  const { target } = action as Extract<CompiledAction, { target: unknown }>;
  const repository = target.repository.fill(image);
  if ('fault' in repository) return repository.fault;
  const tag = target.tag === undefined ? { name: image.tag } : target.tag.fill(image);
  if ('fault' in tag) return tag.fault;
  const backup = target.backupTag?.fill(image);
  if (backup !== undefined && 'fault' in backup) return backup.fault;
  const { no_overwrite: noOverwrite, platforms, incomplete, retry_policy: retry } = document;
  return {
    type: 'replicate',
    policyId,
    target: { registry: target.registry, repository: repository.name, tag: tag.name },
    options: {
      ...(backup === undefined ? {} : { backupTag: backup.name }),
      ...(noOverwrite === undefined ? {} : { noOverwrite }),
      ...(platforms === undefined ? {} : { platforms }),
      ...(incomplete === undefined ? {} : { incomplete }),
      ...(retry === undefined ? {} : { retry: toRetry(retry) }),
    },
    parameters: (document.parameters ?? {}) as JsonObject,
  };
}

function toRetry({ max_attempts: attempts, initial, factor, max }: RetryPolicy): CopyRetry {
  return { attempts, initialMs: parseDuration(initial), factor, maxMs: parseDuration(max) };
}
