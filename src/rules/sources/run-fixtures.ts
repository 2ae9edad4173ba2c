import { dirname, resolve } from 'node:path';
import { collecting } from '../../kernel/collect-faults';
import { faultsToError, type Fault } from '../../kernel/failures';
import { parseTime } from '../../kernel/time';
import { loadDocuments } from '../../platform/documents/loaders/document';
import { faultAt, placeBelow, type DocumentPlace } from '../../platform/documents/validate';
import type { PolicySet } from '../document/read-policies';
import type { DomainState, RuleDomain } from '../domain';
import { answerRules } from '../evaluation/answer';
import { RULE_LIMITS } from '../limits';
import { differences } from '../testing/compare';
import { readFixtures, type RuleCase } from '../testing/fixture';
import { fixtureFiles } from './load-policies';
import { loadState } from './load-state';

export interface CaseResult {
  file: string;
  name: string;
  passed: boolean;
  /** what differs from what was expected, each in one sentence */
  differences: string[];
}

export interface FixtureRun {
  cases: CaseResult[];
  /** policies that matched in no case */
  untested: string[];
}

/**
 * Runs all fixtures in a folder: each case's state through the very code that evaluates, and what came out compared.
 *
 * @param nowMs the time of a case that gives none
 * @throws GateError ConfigInvalid with every fault of the fixtures and of the states that they name
 */
export async function runFixtures(
  folder: string,
  set: PolicySet,
  domain: RuleDomain,
  nowMs: number,
): Promise<FixtureRun> {
  const faults: Fault[] = [];
  const cases: CaseResult[] = [];
  const matched = new Set<string>();
  for (const file of await fixtureFiles(folder)) {
    await collecting(faults, async () => {
      const { documents } = await loadDocuments(file, { largestBytes: RULE_LIMITS.fileBytes });
      for (const { document, lineOf, columnOf } of documents) {
        const where: DocumentPlace = { file, ...(lineOf === undefined ? {} : { lineOf, columnOf }) };
        for (const [at, one] of readFixtures(document, where).entries()) {
          await collecting(faults, async () => {
            checkNames(one, set, domain, where, `/tests/${at}`);
            const state = await stateOf(one, where, `/tests/${at}`, domain, nowMs);
            const answer = answerRules(set.policies, state, domain, {
              ...(one.operation === undefined ? {} : { operation: one.operation }),
              ...(one.subject === undefined ? {} : { ofSubjectsAlone: true }),
              ...(one.policies === undefined ? {} : { policies: one.policies }),
            });
            for (const result of answer.results) if (result.matched) matched.add(result.policy);
            const found = differences(answer, one, domain);
            cases.push({ file, name: one.name, passed: found.length === 0, differences: found });
          });
        }
      }
    });
  }
  if (faults.length > 0) throw faultsToError(faults);
  const untested = set.policies.filter(({ enabled, name }) => enabled && !matched.has(name)).map(({ name }) => name);
  return { cases, untested };
}

async function stateOf(
  { state, at, operation, subject }: RuleCase,
  where: DocumentPlace,
  pointer: string,
  domain: RuleDomain,
  nowMs: number,
): Promise<DomainState> {
  const timeMs = at === undefined ? nowMs : parseTime(at);
  if (timeMs === undefined) {
    const sentence = `expected an RFC 3339 time such as 2026-11-26T10:00:00Z, got ${JSON.stringify(at)}`;
    throw faultsToError([faultAt(where, `${pointer}/at`, sentence)]);
  }
  const reading = {
    nowMs: timeMs,
    ...(operation === undefined ? {} : { operation }),
    ...(subject === undefined ? {} : { subject }),
  };
  if (typeof state === 'string') return loadState(resolve(dirname(where.file), state), domain, reading);
  const inner = placeBelow(where, `${pointer}/state`);
  return domain.readState(state, inner, reading);
}

/** Names of policies and operations that do not exist: such a case would pass, or fail, for another reason. */
function checkNames(
  { operation, policies = [], expect }: RuleCase,
  set: PolicySet,
  { operations }: RuleDomain,
  where: DocumentPlace,
  pointer: string,
): void {
  const { matched = [], not_matched = [], unknown = [], kept = {} } = expect;
  const faults = [...policies, ...matched, ...not_matched, ...unknown, ...Object.keys(kept)]
    .filter((name) => !set.policies.some((policy) => policy.name === name))
    .map((name) => faultAt(where, pointer, `no policy is named ${name}`));
  if (operation !== undefined && !Object.hasOwn(operations, operation)) {
    const known = Object.keys(operations).join(', ');
    faults.push(faultAt(where, `${pointer}/operation`, `expected one of ${known}, got ${operation}`));
  }
  if (faults.length > 0) throw faultsToError(faults);
}
