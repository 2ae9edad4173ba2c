import { RecordKind, type DomainRecord } from '../../audit/audit-record';
import { derivedId } from '../../kernel/derived-id';
import { shortText } from '../../kernel/short-text';
import { toTimestamp } from '../../kernel/time';
import { decisionMark, gateVerdict, markBefore, type GateLook, type GateVerdict } from '../execution/gate-verdict';
import type { ExecutionRef } from '../execution/plan-run';
import { pinnedPlanOf } from '../execution/pinned-plan';
import type { Execution } from '../kinds/execution';
import type { Gate } from '../kinds/gate';
import type { PlanObject } from '../object';
import type { PlanStore } from '../store/plan-store';
import { bareRecord } from './change-record';
import { ofRun } from './of-run';

const MOST_TEXT = 1_000;

/**
 * What a node that waits for a gate learns of it now. A decision that ends the wait is in the audit log: whoever asks twice has
 * one record.
 *
 * @throws GateError StoreUnavailable
 */
export async function lookAtGate(
  store: PlanStore,
  ref: ExecutionRef,
  look: GateLook,
  nowMs: number,
): Promise<GateVerdict> {
  const stored = await ofRun(store, ref);
  const plan = stored && pinnedPlanOf(stored);
  if (stored === undefined || plan === undefined) return { state: 'waiting', message: 'its Execution was deleted' };
  const execution = stored as unknown as Execution;
  const gate = (await store.get({ kind: 'Gate', namespace: ref.namespace, name: look.gate })) as Gate | undefined;
  const owner = (stored.metadata.ownerReferences ?? []).find(({ kind }) => kind === 'Plan');
  const verdict = gateVerdict(gate, {
    gate: look.gate,
    node: look.node,
    plan: { name: plan.name, ...(owner?.name === plan.name ? { uid: owner.uid } : {}) },
    execution,
    before: markBefore(execution.status?.nodeStatuses?.[look.node]?.extensions),
  });
  if (verdict.state !== 'waiting') {
    const record = passRecord(stored, look, verdict, gate!, nowMs);
    await store.write((session) => Promise.resolve(session.record(record)));
  }
  return verdict;
}

/** Who let a node of an execution pass, or stopped it. Its part is the node. */
function passRecord(
  execution: PlanObject,
  { node, gate: gateName, attempt }: GateLook,
  { state, actors, comment }: Exclude<GateVerdict, { state: 'waiting' }>,
  gate: Gate,
  nowMs: number,
): DomainRecord {
  return {
    ...bareRecord(execution),
    decisionID: derivedId('plans', execution.metadata.uid ?? '', node, attempt, 'gate'),
    kind: RecordKind.resolved,
    timestamp: toTimestamp(nowMs),
    actor: shortText(actors.join(', '), 200),
    part: node,
    ...(comment === undefined ? {} : { reason: shortText(comment, MOST_TEXT) }),
    details: { gate: gateName, outcome: state, actors: actors.slice(0, 100), attempt, ...decisionMark(gate) },
  };
}
