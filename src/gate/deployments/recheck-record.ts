import { derivedId } from '../../kernel/derived-id';
import type { JsonObject } from '../../kernel/json';
import type { Act } from './act-record';
import { GATE_ACTOR } from './act-record';
import { isSameFinding, type Finding } from './finding';
import type { Looks } from './looks';

/** What ended the looks that a record counts. `day`: a day is over, and the wait continues. */
export type RecheckEndedBy = 'change' | 'day' | 'call' | 'time' | 'failure' | 'cancellation';

/** Looks of one wait that found the same, in the order of the wait. */
export interface CountedLooks {
  deploymentId: string;
  stage: string;
  runId: string;
  /** which wait of the run it is, and which part of the wait, both from 0 */
  wait: number;
  window: number;
  looks: Looks;
  /** what all of them found */
  found: Finding;
  endedBy: RecheckEndedBy;
  /** what the look after them found, when it ended them */
  became?: Finding;
}

/**
 * The record of looks that changed nothing; undefined when there were none. Its id follows from run, stage, wait and
 * window, so that a step that runs again adopts what it wrote.
 */
export function recheckAct(
  counted: CountedLooks,
  atMs: number,
): Omit<Act, 'deploymentId' | 'stage' | 'workflowId' | 'runId' | 'release'> | undefined {
  const { deploymentId, stage, runId, wait, window, looks, found, endedBy, became } = counted;
  if (looks.count === 0 && endedBy !== 'change') return undefined;
  const details: JsonObject = {
    count: looks.count,
    ...(looks.firstAt === undefined ? {} : { firstAt: looks.firstAt }),
    ...(looks.lastAt === undefined ? {} : { lastAt: looks.lastAt }),
    outcome: found.outcome,
    codes: found.codes,
    endedBy,
    ...(became === undefined || isSameFinding(became, found) ? {} : { became: { ...became } }),
    wait,
    window,
  };
  const id = derivedId('recheck', runId, deploymentId, stage, wait, window);
  return { id, kind: 'recheck', atMs, actor: GATE_ACTOR, reason: SENTENCES[endedBy], details };
}

const SENTENCES: Record<RecheckEndedBy, string> = {
  change: 'something else was found',
  day: 'a day is over',
  call: 'an operator called',
  time: 'the time to wait is over',
  failure: 'the recheck failed',
  cancellation: 'the workflow was cancelled',
};
