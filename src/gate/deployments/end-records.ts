import type { ActedResult, DeploymentEnd } from '../../audit/ends';
import { derivedId } from '../../kernel/derived-id';
import type { JsonObject } from '../../kernel/json';
import { GATE_ACTOR, type Act } from './act-record';
import type { DeploymentStatus } from './deployment-state';

/** What became of the action of a stage, over all of its attempts. */
export interface StageAction {
  type: string;
  result: ActedResult;
  attempts: number;
  /** of the attempts in order, null for one without an answer; the newest 20 */
  statuses: (number | null)[];
  durationMs: number;
  /** whether it will be taken back: the record is written before that, and `ended` tells how it went */
  compensation: 'due' | 'none';
  /** why it did not succeed */
  error?: string;
}

/** Where an end happened. */
export interface EndedRun {
  deploymentId: string;
  stage: string;
  runId: string;
  /** of a stage that is run again, from 2; @default the first */
  attempt?: number;
}

type EndAct = Pick<Act, 'id' | 'kind' | 'atMs' | 'actor' | 'reason' | 'details'>;

/** The record of a stage's action, one an attempt at its stage: its id follows from run, stage and attempt. */
export function actedAct({ deploymentId, stage, runId, attempt }: EndedRun, action: StageAction, atMs: number): EndAct {
  const { error, ...known } = action;
  const details: JsonObject = { ...known, ...(error === undefined ? {} : { error }) };
  const again = attempt === undefined || attempt === 1 ? [] : [String(attempt)];
  const id = derivedId('acted', runId, deploymentId, stage, ...again);
  const reason = `the action ended: ${action.result}`;
  return { id, kind: 'acted', atMs, actor: GATE_ACTOR, reason, details };
}

/**
 * The record of a deployment's end, with how far each stage was. Its id follows from the run, so that whoever records the
 * end again adopts what is there.
 *
 * @param by who ended it: an operator, `temporal`, or the gate
 */
export function endedAct(
  { deploymentId, stage, runId }: EndedRun,
  { end, by, reason }: { end: DeploymentEnd; by: string; reason: string },
  stages: DeploymentStatus['stages'],
  atMs: number,
): EndAct {
  const details: JsonObject = {
    end,
    stages: Object.fromEntries(stages.map(({ name, state }) => [name, state])),
  };
  return { id: derivedId('ended', runId, deploymentId, stage), kind: 'ended', atMs, actor: by, reason, details };
}
