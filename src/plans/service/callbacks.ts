import { randomBytes, timingSafeEqual } from 'node:crypto';
import { RecordKind, type DomainRecord } from '../../audit/audit-record';
import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import { derivedId } from '../../kernel/derived-id';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import { toTimestamp } from '../../kernel/time';
import { callbackIn, withCallback, type CallbackAnswer, type CallbackOf } from '../execution/callback';
import { hasEnded, type NodeStatus } from '../execution/follow-run';
import { readExternalAnswer } from '../execution/external-look';
import type { ExecutionRef } from '../execution/plan-run';
import { nodeHasEnded } from '../execution/schedule';
import { pinnedPlanOf } from '../execution/pinned-plan';
import type { Execution } from '../kinds/execution';
import { NodePhase } from '../kinds/phases';
import type { PlanObject } from '../object';
import type { PlanStore, WriteSession } from '../store/plan-store';
import { bareRecord } from './change-record';
import { writeStatus } from './follow-run';
import { planFailure } from './plan-failure';
import type { Written } from './plan-service';
import { ofRun } from './of-run';

/** In audit records of what was called back: only its token says who called. */
const ACTOR = 'callback';
const MOST_TEXT = 1_000;
const TOKEN_BYTES = 32;

/**
 * Has a node wait for a callback under a new token; one of an earlier attempt, or that was made before, is taken no more.
 *
 * @returns undefined where the Execution is gone
 */
export async function openCallback(
  store: PlanStore,
  ref: ExecutionRef,
  { node, attempt }: CallbackOf,
): Promise<{ token: string } | undefined> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return store.write(async (session) => {
    const stored = await ofRun(session, ref);
    if (stored === undefined) return undefined;
    await writeNode(session, stored, node, (status) => ({
      ...status,
      extensions: withCallback(status.extensions as JsonValue, { attempt, tokenHash: sha256(token) }),
    }));
    return { token };
  });
}

/** What a node was called back with; undefined while nothing was. @throws GateError StoreUnavailable */
export async function lookAtCallback(
  store: PlanStore,
  ref: ExecutionRef,
  { node, attempt }: CallbackOf,
): Promise<CallbackAnswer | undefined> {
  const stored = await ofRun(store, ref);
  const callback = callbackIn(nodeOf(stored, node)?.extensions as JsonValue);
  return callback?.attempt === attempt ? callback.answer : undefined;
}

/**
 * Keeps what a node is called back with: `{"state": "succeeded" | "failed" | "cancelled", "message"?, "outputs"?}`. The same again changes
 * nothing.
 *
 * @throws PlanFailure Unauthorized for a token that is not the node's, whether or not there is such a node; Invalid for an answer
 *   that is none, or lacks an output; Conflict where the node has another answer, or waits no more
 */
export async function takeCallback(
  session: WriteSession,
  place: { namespace: string; name: string; node: string },
  token: string,
  body: string,
  nowMs: number,
): Promise<Written> {
  const { namespace, name, node } = place;
  const stored = await session.get({ kind: 'Execution', namespace, name });
  const status = nodeOf(stored, node);
  const callback = callbackIn(status?.extensions as JsonValue);
  if (stored === undefined || callback === undefined || !isSame(sha256(token), callback.tokenHash))
    throw planFailure('Unauthorized', 'Expected the token of a node that waits for a callback');
  const answer = readAnswer(stored, node, body);
  if (callback.answer !== undefined) {
    if (canonicalJson(callback.answer as JsonValue) === canonicalJson(answer as JsonValue))
      return { action: 'unchanged', object: stored, warnings: [] };
    throw planFailure('Conflict', `Node ${node} was called back before: it ${callback.answer.state}`);
  }
  if (hasEnded(stored as unknown as Execution) || nodeHasEnded(status!.phase ?? NodePhase.Pending))
    throw planFailure('Conflict', `Node ${node} waits no more: it is ${status!.phase}`);
  session.record(answerRecord(stored, { node, attempt: callback.attempt }, answer, nowMs));
  const object = await writeNode(session, stored, node, (each) => ({
    ...each,
    extensions: withCallback(each.extensions as JsonValue, { ...callback, answer }),
  }));
  return { action: 'updated', object, warnings: [] };
}

function readAnswer(execution: PlanObject, node: string, body: string): CallbackAnswer {
  const names = pinnedPlanOf(execution)?.spec.graph.nodes.find(({ id }) => id === node)?.outputs ?? [];
  const look = readExternalAnswer(200, Buffer.from(body), names);
  const lacksOutputs = look.state === 'failed' && look.message.startsWith('its outputs:');
  if ((look.state === 'succeeded' || look.state === 'failed') && !lacksOutputs) return look;
  const why = lacksOutputs ? look.message : 'expected an object with state: succeeded, failed or cancelled';
  throw planFailure('Invalid', `The callback of node ${node}: ${why}`);
}

function nodeOf(execution: PlanObject | undefined, node: string): NodeStatus | undefined {
  const statuses = (execution as unknown as Execution | undefined)?.status?.nodeStatuses ?? {};
  return Object.hasOwn(statuses, node) ? statuses[node] : undefined;
}

function writeNode(
  session: WriteSession,
  stored: PlanObject,
  node: string,
  change: (status: NodeStatus) => NodeStatus,
): Promise<PlanObject> {
  const { status = {} } = stored as unknown as Execution;
  const changed = change(nodeOf(stored, node) ?? { phase: NodePhase.Pending });
  const nodeStatuses = { ...status.nodeStatuses, [node]: changed };
  return writeStatus(session, stored, { ...status, nodeStatuses } as unknown as JsonObject);
}

/** Both are digests, and so of one length. */
const isSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

function answerRecord(
  execution: PlanObject,
  { node, attempt }: CallbackOf,
  { state, message }: CallbackAnswer,
  nowMs: number,
): DomainRecord {
  return {
    ...bareRecord(execution),
    decisionID: derivedId('plans', execution.metadata.uid ?? '', node, attempt, 'callback'),
    kind: RecordKind.resolved,
    timestamp: toTimestamp(nowMs),
    actor: ACTOR,
    part: node,
    ...(message === undefined ? {} : { reason: shortText(message, MOST_TEXT) }),
    details: { outcome: state, attempt },
  };
}
