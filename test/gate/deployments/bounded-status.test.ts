import { describe, expect, it } from '@jest/globals';
import { boundedStatus } from '../../../src/gate/deployments/bounded-status';
import { currentDetails } from '../../../src/gate/deployments/current-details';
import { explain } from '../../../src/gate/deployments/explain';
import { shortRecord } from '../../../src/gate/deployments/short-record';
import { decisionRecord } from '../../../src/gate/decisions/to-audit-record';
import { jsonBytes, LIMITS } from '../../../src/kernel/limits';
import { aFact, aSnapshot } from '../decisions/a-snapshot';
import { aDecision, aPause, aStatus } from './a-status';

const MEGABYTE = 'x'.repeat(1_000_000);
const many = <T>(count: number, of: (at: number) => T): T[] => Array.from({ length: count }, (_none, at) => of(at));
/** Each character has six bytes as JSON. */
const WIDE = '\u0001'.repeat(300);
const reasons = many(1_000, (at) => `red_${at}: ${at < 1 ? MEGABYTE : WIDE}`);
const faults = reasons.map((message, at) => ({
  type: 'FactStale' as const,
  message,
  factId: `fact-${at}`,
  where: WIDE,
}));
const decision = {
  ...aDecision({
    denyReasons: reasons,
    faults,
    evaluation: { evaluators: ['plan'], secondOpinion: 'agreed', lookedAt: reasons, wouldDeny: reasons, notes: faults },
  }),
  codes: reasons,
  facts: many(1_000, (at) => ({ id: `fact-${at}`, value: WIDE, ageMs: 1, source: WIDE, lookedAt: at > 990 })),
};
const { decisionId: _id, ...look } = decision;
const worst = aStatus({
  state: 'paused',
  stageIndex: 700,
  stages: many(1_000, (at) => ({ name: `s${at}`.padEnd(128, '-'), state: 'terminated', outcome: 'override' })),
  pause: aPause({ faults }),
  lastDecision: decision,
  lastLook: look,
  pendingLooks: { count: 1, outcome: 'deny', codes: reasons, reasons, faults: reasons },
  endReason: WIDE.repeat(10),
});

describe('a status of any size', () => {
  it('a status within its limit is given as it is', () => {
    const status = aStatus({ pause: aPause(), lastDecision: aDecision() });
    expect(boundedStatus(status)).toBe(status);
  });

  it('1,000 reasons, some of a megabyte, beside 1,000 stages, facts and faults fit into its limit', () => {
    const shown = boundedStatus(worst);
    expect(jsonBytes(shown)).toBeLessThanOrEqual(LIMITS.statusBytes);
    expect(shown.stages).toEqual(worst.stages);
    expect(shown.lastDecision?.decision.denyReasons).toHaveLength(11);
    expect(shown.lastDecision?.decision.denyReasons.at(-1)).toBe('and 990 more');
    expect(shown.pause?.faults.at(-1)).toEqual({ type: 'FactStale', message: 'and 990 more' });
    expect(shown.lastDecision?.facts.map(({ id }) => id)).toContain('fact-999');
  });

  it('explain and current details of it are short', () => {
    expect(
      jsonBytes(
        explain(
          worst,
          many(10, () => WIDE.repeat(8)),
        ),
      ),
    ).toBeLessThan(2 * LIMITS.statusBytes);
    const waiting = {
      ...worst,
      state: 'waiting' as const,
      lastLook: undefined,
      pause: undefined,
      pendingLooks: undefined,
    };
    expect(explain(waiting, []).why).toHaveLength(21);
    const details = currentDetails(worst, []);
    expect(jsonBytes(details)).toBeLessThan(2 * LIMITS.statusBytes);
    expect(details).toContain('50 of 1000 stages');
    expect(details).toContain('- s700');
    expect(details).not.toContain('- s600');
  });

  it('a workflow keeps of 5,000 facts those that were looked at, and no more than fit', () => {
    const facts = many(5_000, (at) => aFact(`fact-${at}`, 'x'.repeat(300), 1_000));
    const record = decisionRecord(aSnapshot(facts), aDecision().decision, { workflowId: 'w', runId: 'r' });
    record.usedFacts.at(-1)!.source = 'http://a/'.padEnd(LIMITS.sourceChars + 1, 'x');
    const looked = { ...record, usedFacts: record.usedFacts.map((fact, at) => ({ ...fact, lookedAt: at >= 4_990 })) };
    const { usedFacts } = shortRecord(looked);
    expect(jsonBytes(usedFacts)).toBeLessThanOrEqual(LIMITS.shownFacts.bytes + 1_000);
    expect(usedFacts.at(-1)?.source).toHaveLength(LIMITS.sourceChars);
    expect(usedFacts.filter(({ lookedAt }) => lookedAt)).toHaveLength(10);
  });
});
