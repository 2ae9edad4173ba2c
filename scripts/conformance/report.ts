import Table from 'cli-table3';
import type { CapabilitiesTarget } from '../../src/rego/capabilities';
import type { CaseResult } from './run-case';

type Counts = Record<'all' | CaseResult['outcome'], number>;

/** The figures of one evaluator, as docs/conformance.json publishes them. */
export interface EvaluatorReport {
  counts: Counts;
  /** by the form of the case; `plain` is the one that other implementations publish lists of */
  byForm: Record<string, Counts>;
  byFolder: Record<string, Counts>;
  refusedBy: Record<string, number>;
  notAsWanted: Pick<CaseResult, 'note' | 'outcome' | 'detail'>[];
}

export function reportOf(results: readonly CaseResult[]): EvaluatorReport {
  const refusedBy: Record<string, number> = {};
  for (const { outcome, detail = '' } of results) {
    if (outcome === 'refused') refusedBy[detail] = (refusedBy[detail] ?? 0) + 1;
  }
  const notAsWanted = results
    .filter(({ outcome }) => outcome === 'wrong' || outcome === 'failed')
    .map(({ note, outcome, detail }) => ({ note, outcome, detail }));
  return {
    counts: countOf(results),
    byForm: grouped(results, ({ form }) => form),
    byFolder: grouped(results, ({ folder }) => folder),
    refusedBy: sortedByKey(refusedBy),
    notAsWanted,
  };
}

function countOf(results: readonly CaseResult[]): Counts {
  const counts: Counts = { all: results.length, passed: 0, refused: 0, wrong: 0, failed: 0 };
  for (const { outcome } of results) counts[outcome]++;
  return counts;
}

function grouped(results: readonly CaseResult[], keyOf: (result: CaseResult) => string): Record<string, Counts> {
  const groups: Record<string, CaseResult[]> = {};
  for (const result of results) (groups[keyOf(result)] ??= []).push(result);
  return sortedByKey(Object.fromEntries(Object.entries(groups).map(([key, group]) => [key, countOf(group)])));
}

const sortedByKey = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Evaluators and forms of cases, one a line. */
export function reportTable(reports: Partial<Record<CapabilitiesTarget, EvaluatorReport>>): string {
  const head = ['evaluator', 'cases', 'all', 'passed', 'refused at build', 'wrong', 'failed'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const [target, { byForm, counts }] of Object.entries(reports)) {
    for (const [form, group] of [...Object.entries(byForm), ['all', counts] as const]) {
      table.push([target, form, group.all, group.passed, group.refused, group.wrong, group.failed]);
    }
  }
  return table.toString();
}
