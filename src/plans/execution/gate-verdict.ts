import type { JsonObject, JsonValue } from '../../kernel/json';
import { isJsonObject } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import type { Execution } from '../kinds/execution';
import type { Gate } from '../kinds/gate';
import { standingOf } from './decide-gate';
import { approvalFaults } from './gate-approval';

/** A gate may be as large as a request; what is told of it passes through Temporal, for each node that waits. */
const MOST_TEXT = 1_000;
const MOST_ACTORS = 100;

/** How a gate's decision is told from its next one. */
export interface DecisionMark {
  /** of the gate: one of the same name that was created later has another */
  uid: string;
  outcome: string;
  timestamp: string;
  generation: number;
}

/** What a node that waits for a gate learns of it. */
export type GateVerdict =
  | { state: 'approved' | 'rejected'; actors: string[]; message: string; comment?: string }
  | { state: 'waiting'; message: string };

/** Which node asks about which gate. */
export interface GateLook {
  /** of the node that waits, as the report said it that the node began */
  node: string;
  /** of the gate, in the namespace of the execution */
  gate: string;
  /** of the node, from 1 */
  attempt: number;
}

export interface GateQuestion {
  /** of the node */
  gate: string;
  node: string;
  /** the plan's name and, where it is known, its uid */
  plan: { name: string; uid?: string };
  execution: Pick<Execution, 'metadata'>;
  /** the decision that there was when the node began to wait */
  before: DecisionMark | undefined;
}

/** The mark of the decision that a gate has; undefined for one that is undecided. */
export function decisionMark(gate: Gate | undefined): DecisionMark | undefined {
  const { resolution, decidedGeneration = 0 } = gate?.status ?? {};
  if (gate === undefined || resolution === undefined) return undefined;
  const { outcome, timestamp } = resolution;
  return { uid: gate.metadata.uid ?? '', outcome, timestamp, generation: decidedGeneration };
}

/** A mark as it was kept in a status; undefined for anything else. */
export function readDecisionMark(value: JsonValue | undefined): DecisionMark | undefined {
  if (!isJsonObject(value) || typeof value.timestamp !== 'string') return undefined;
  return value as unknown as DecisionMark;
}

/**
 * Whether a node may pass a gate. The decision must hold for the gate as it is now. A rejection counts whenever it was made; an
 * approval from before the node began to wait only if the gate's `targetRef` names this plan or execution: it was meant for
 * something else otherwise. Which came first the store says, and no clock.
 *
 * @param gate as it is stored; undefined where there is none
 */
export function gateVerdict(gate: Gate | undefined, question: GateQuestion): GateVerdict {
  const verdict = wholeVerdict(gate, question);
  const message = shortText(verdict.message, MOST_TEXT);
  if (verdict.state === 'waiting') return { ...verdict, message };
  const { actors, comment } = verdict;
  const named = actors.slice(0, MOST_ACTORS).map((actor) => shortText(actor));
  const short = comment === undefined ? {} : { comment: shortText(comment, MOST_TEXT) };
  return { ...verdict, message, actors: named, ...short };
}

function wholeVerdict(gate: Gate | undefined, question: GateQuestion): GateVerdict {
  const name = `gate ${question.gate}`;
  if (gate === undefined) return { state: 'waiting', message: `waits for ${name}, which does not exist` };
  const resolution = gate.status?.resolution;
  const isHeld = resolution !== undefined && approvalFaults(gate).length === 0;
  if (!isHeld) return { state: 'waiting', message: `waits for ${name}, which ${standingOf(gate)}` };
  const { outcome, actors = [], comment } = resolution;
  const by = `${outcome} by ${actors.join(', ')}`;
  const said = { actors: [...actors], ...(comment === undefined ? {} : { comment }) };
  if (outcome === 'rejected') {
    const why = comment === undefined ? '' : `: ${comment}`;
    return { state: 'rejected', ...said, message: `${name} was ${by}${why}` };
  }
  if (!isSame(decisionMark(gate), question.before) || names(gate.spec.targetRef, question))
    return { state: 'approved', ...said, message: `${name} was ${by}` };
  const message = `waits for ${name}, which was ${by} before this node began to wait: approve it once more (--again)`;
  return { state: 'waiting', message };
}

function isSame(one: DecisionMark | undefined, other: DecisionMark | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.uid === other.uid &&
    one.outcome === other.outcome &&
    one.timestamp === other.timestamp &&
    one.generation === other.generation
  );
}

/** Whether a gate is for this plan or this execution, and not for another node of it. */
function names(
  { kind, name, namespace, uid, nodeId }: Gate['spec']['targetRef'],
  { node, plan, execution }: GateQuestion,
): boolean {
  const { metadata } = execution;
  if (namespace !== undefined && namespace !== metadata.namespace) return false;
  if (nodeId !== undefined && nodeId !== node) return false;
  const target = kind === 'Plan' ? plan : kind === 'Execution' ? metadata : undefined;
  if (target === undefined || target.name !== name) return false;
  return uid === undefined || uid === target.uid;
}

/** Where the status of a node keeps what its gate was when it began to wait, under `extensions`. */
const BEFORE = 'gateBefore';

/** The extensions of a node that begins to wait; those that it has from an earlier attempt stay. */
export function extensionsOf(before: JsonObject | undefined, gate: Gate | undefined): JsonObject {
  if (before !== undefined && BEFORE in before) return before;
  const mark = decisionMark(gate);
  return { ...before, [BEFORE]: mark === undefined ? null : { ...mark } };
}

/** The mark that the status of a node keeps. */
export function markBefore(extensions: unknown): DecisionMark | undefined {
  return isJsonObject(extensions as JsonValue) ? readDecisionMark((extensions as JsonObject)[BEFORE]) : undefined;
}
