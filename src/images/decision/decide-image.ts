import { formatImageReference } from '../image-reference';
import type { ImageMetadata } from '../image-metadata';
import type { TagChooser } from '../policies/choose-tags';
import type { ImagePolicy, ImagePolicySet } from '../policies/image-policy';
import type { MappingEntry } from '../policies/mapping';
import type { DecidedAction, DecisionConflict, ImageDecision, PolicyResult } from './decision';
import { evaluatePolicy, isOut, signatureReason, unknownAnswer, type PolicyAnswer } from './evaluate-policy';

/** What happens to an image whose policies could not be evaluated: it is not replicated, or it follows the mapping. */
export type OnEvaluationError = 'block' | 'default';

export interface DecideOptions {
  /** epoch milliseconds, for ages */
  nowMs: number;
  /** nanoseconds of a clock that only goes forward, for evaluation times and the limit */
  clockNs(): number;
  /** for all policies of one image, milliseconds; those not evaluated in time are unknown @default no limit */
  timeoutMs?: number;
  /** @default block */
  onEvaluationError?: OnEvaluationError;
  /** the first entry that fits an image counts */
  mapping?: readonly MappingEntry[];
  /** hosts by the names that policies use */
  registries?: ReadonlyMap<string, string>;
  /** whether `latest` of a tag set chooses a tag among all of its repository @default every tag */
  isLatest?: (set: TagChooser, tag: string) => boolean;
}

type Replicate = Extract<DecidedAction, { type: 'replicate' }>;
type Block = Extract<DecidedAction, { type: 'block' }>;

/**
 * Decides about one image. A block wins whatever the priorities, and a policy that blocks and cannot be evaluated blocks too. If a
 * policy replicates the image it is replicated, even if others could not be evaluated. If none does and one that might could not be
 * evaluated, `onEvaluationError` decides; otherwise the image follows the mapping, if one covers it.
 */
export function decideImage(set: ImagePolicySet, image: ImageMetadata, options: DecideOptions): ImageDecision {
  const { mapping = [], onEvaluationError = 'block', registries = new Map<string, string>() } = options;
  const hostOf = (name: string) => registries.get(name) ?? name;
  const { answers, results } = evaluateAll(set, image, options, hostOf);
  const matched = answers.filter((one) => one.matched);
  const decided = answers.flatMap((one) => one.actions);
  const blocks = decided.filter((action) => action.type === 'block');
  const notifies = decided.filter((action) => action.type === 'notify');
  const replicates = withoutRepeated(decided.filter((action) => action.type === 'replicate'));
  const failed = answers.filter(
    ({ truth, error, policyId }) => (truth === 'unknown' || error !== undefined) && replicating(set, policyId),
  );
  const mapped = mapping.find((one) => hostOf(one.registry) === image.registry && one.fitsRepository(image.repository));
  const mappedTo = mapped && targetOf(mapped, image);
  const verdict = judge({ blocks, replicates, failed, isMapped: mappedTo !== undefined, matched, onEvaluationError });
  const decision: Omit<ImageDecision, 'results'> = {
    shouldReplicate: verdict.should,
    actions: [...(blocks.length > 0 ? blocks : verdict.should ? replicates : []), ...notifies],
    matchedPolicies: matched.map(({ policyId }) => policyId),
    reason: verdict.reason,
    metadata: {
      image: nameOf(image),
      decidedAt: new Date(options.nowMs).toISOString(),
      degraded: verdict.degraded ?? false,
      ...(mappedTo !== undefined && verdict.follows === true ? { mappedTo } : {}),
    },
    conflicts: conflictsOf(set, matched),
    warnings: answers.flatMap(({ policyId, signature }) =>
      signature?.verified === false && signature.enforce === 'warn'
        ? [{ policyId, reason: signatureReason(signature) }]
        : [],
    ),
    errors: answers.flatMap(({ error }) => (error === undefined ? [] : [error])),
  };
  // Reasons of the policies that do not match are worked out when they are read.
  let listed: readonly PolicyResult[] | undefined;
  return Object.defineProperty(decision as ImageDecision, 'results', {
    enumerable: true,
    get: () => (listed ??= results()),
  });
}

type Answer = PolicyAnswer & PolicyResult;

/** The answers of the policies that may match, in order; and, on demand, the results of all, the reasons included. */
function evaluateAll(
  set: ImagePolicySet,
  image: ImageMetadata,
  { nowMs, clockNs, timeoutMs = Infinity, isLatest = () => true }: DecideOptions,
  registryOf: (name: string) => string,
): { answers: readonly Answer[]; results: () => readonly PolicyResult[] } {
  const surroundings = { registryOf, isLatest };
  const { policies } = set;
  const startedNs = clockNs();
  const limitNs = startedNs + timeoutMs * 1e6;
  const whole = new Map<ImagePolicy, Answer>();
  const timesNs = new Float64Array(policies.length);
  let lastNs = startedNs;
  let timed = 0;
  /** Reading the clock costs as much as a condition: policies that are out share the time of their run. */
  const readClock = (until: number): void => {
    const nowNs = clockNs();
    timesNs.fill((nowNs - lastNs) / (until - timed), timed, until);
    lastNs = nowNs;
    timed = until;
  };
  for (let index = 0; index < policies.length; index += 1) {
    const policy = policies[index]!;
    const isLate = lastNs > limitNs;
    const isOutside = !policy.enabled || (!isLate && isOut(policy, image, nowMs, surroundings));
    if (isOutside && index - timed < MOST_UNTIMED) continue;
    if (index > timed) readClock(index);
    if (isOutside) continue;
    const answer = isLate
      ? unknownAnswer(policy, { reason: `the evaluation took longer than ${timeoutMs} ms` }, [])
      : evaluatePolicy(policy, image, nowMs, surroundings);
    readClock(index + 1);
    whole.set(policy, { ...answer, evaluationTime: timesNs[index]! });
  }
  if (timed < policies.length) readClock(policies.length);
  const results = () =>
    policies.flatMap((policy, index): PolicyResult[] => {
      if (!policy.enabled) return [];
      const evaluationTime = Math.round(timesNs[index]!);
      const answer = whole.get(policy) ?? { ...evaluatePolicy(policy, image, nowMs, surroundings), evaluationTime };
      const { truth: _truth, ...result } = answer;
      return [result];
    });
  return { answers: [...whole.values()], results };
}

/** Policies between two readings of the clock, and so between two looks at the limit. */
const MOST_UNTIMED = 32;

interface Judging {
  blocks: readonly Block[];
  replicates: readonly Replicate[];
  /** policies that might replicate it, and could not say so */
  failed: readonly PolicyAnswer[];
  isMapped: boolean;
  matched: readonly PolicyAnswer[];
  onEvaluationError: OnEvaluationError;
}

interface Verdict {
  should: boolean;
  reason: string;
  /** whether the image follows the mapping */
  follows?: boolean;
  degraded?: boolean;
}

function judge({ blocks, replicates, failed, isMapped, matched, onEvaluationError }: Judging): Verdict {
  if (blocks.length > 0) return { should: false, reason: blocks[0]!.reason };
  if (replicates.length > 0) {
    const ids = [...new Set(replicates.map(({ policyId }) => policyId))];
    return { should: true, reason: `replicated by ${ids.join(', ')}` };
  }
  if (failed.length > 0) {
    const why = failed.map(({ policyId, error }) => `${policyId}: ${error?.cause ?? 'it is unknown'}`).join('; ');
    const reason = `policies could not be evaluated (${why})`;
    if (onEvaluationError === 'block') return { should: false, reason };
    if (!isMapped) return { should: false, reason: `${reason}, and no mapping covers the image` };
    return { should: true, reason: `${reason}: the image follows the mapping`, follows: true, degraded: true };
  }
  const none = matched.length === 0 ? 'no policy matched' : 'no policy that matched replicates the image';
  if (!isMapped) return { should: false, reason: none };
  return { should: true, reason: `${none}: the image follows the mapping`, follows: true };
}

function replicating({ byId }: ImagePolicySet, id: string): boolean {
  return byId.get(id)!.actions.some(({ document }) => document.type === 'replicate');
}

/** Two policies may want the same copy: it is made once, as the first of them wants it. */
function withoutRepeated(replicates: readonly Replicate[]): Replicate[] {
  const byTarget = new Map<string, Replicate>();
  for (const action of replicates) {
    const { registry, repository, tag } = action.target;
    const key = `${registry}/${repository}:${tag ?? ''}`;
    if (!byTarget.has(key)) byTarget.set(key, action);
  }
  return [...byTarget.values()];
}

function conflictsOf({ byId }: ImagePolicySet, matched: readonly PolicyAnswer[]): DecisionConflict[] {
  const priorities = new Map<number, ImagePolicy[]>();
  for (const { policyId } of matched) {
    const policy = byId.get(policyId)!;
    priorities.set(policy.priority, [...(priorities.get(policy.priority) ?? []), policy]);
  }
  return [...priorities].flatMap(([priority, policies]): DecisionConflict[] => {
    const having = (type: DecidedAction['type']) =>
      policies.filter(({ actions }) => actions.some(({ document }) => document.type === type)).map(({ id }) => id);
    const [blocking, replicatingIds] = [having('block'), having('replicate')];
    if (blocking.length === 0 || replicatingIds.length === 0) return [];
    return [{ priority, blocking, replicating: replicatingIds }];
  });
}

function nameOf({ registry, repository, tag, digest }: ImageMetadata): string {
  return formatImageReference({ registry, repository, ...(tag === null ? {} : { tag }), digest });
}

/** Undefined for an image that the template gives no valid name: the mapping does not cover it. */
function targetOf({ target }: MappingEntry, image: ImageMetadata): string | undefined {
  const filled = target.repository.fill(image);
  if ('fault' in filled) return undefined;
  return `${target.registry}/${filled.name}${image.tag === null ? '' : `:${image.tag}`}`;
}
