import Table from 'cli-table3';
import type { UnitResult } from './run-unit';

const SUMMED = [
  'varied',
  'policies',
  'converted',
  'rules',
  'samples',
  'compared',
  'defined',
  'comparedWasm',
  'comparedTests',
] as const;

/** What a corpus came to. */
export interface CorpusReport {
  totals: Record<
    (typeof SUMMED)[number] | 'units' | 'refused' | 'withSamples' | 'differences' | 'testDifferences',
    number
  >;
  units: UnitResult[];
}

export function reportOf(units: readonly UnitResult[]): CorpusReport {
  const sum = (of: (unit: UnitResult) => number): number => units.reduce((total, unit) => total + of(unit), 0);
  const sums = Object.fromEntries(SUMMED.map((key) => [key, sum((unit) => unit[key])]));
  return {
    totals: {
      units: units.length,
      ...(sums as Record<(typeof SUMMED)[number], number>),
      refused: sum(({ refused }) => (refused === undefined ? 0 : 1)),
      withSamples: sum(({ samples, policies }) => (samples > 0 ? policies : 0)),
      differences: sum(({ differences }) => differences.length),
      testDifferences: sum(({ testDifferences }) => testDifferences.length),
    },
    units: [...units],
  };
}

/** A unit a line, then every difference and every refusal with what it says. */
export function reportText({ totals, units }: CorpusReport): string {
  const head = ['unit', 'policies', 'rules', 'samples', 'varied', 'compared', 'wasm', 'tests', 'differences'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const one of units) {
    const different = one.differences.length + one.testDifferences.length;
    const last = one.refused === undefined ? different : 'refused';
    table.push([
      one.unit,
      one.policies,
      one.rules,
      one.samples,
      one.varied,
      one.compared,
      one.comparedWasm,
      one.comparedTests,
      last,
    ]);
  }
  const different = totals.differences + totals.testDifferences;
  const { policies, rules, samples, varied, compared, comparedWasm, comparedTests } = totals;
  table.push(['all', policies, rules, samples, varied, compared, comparedWasm, comparedTests, different]);
  const details = units.flatMap(({ unit, refused, testsRefused, noModule, differences, testDifferences }) => [
    ...(refused === undefined ? [] : [`refused ${unit}: ${refused}`]),
    ...(testsRefused === undefined ? [] : [`tests refused ${unit}: ${testsRefused}`]),
    ...(noModule === undefined ? [] : [`no module ${unit}: ${noModule}`]),
    ...differences.map(
      (one) => `DIFFERS ${unit} ${one.rule} (${one.sample}): opa ${one.opa}, ${one.evaluator} ${one.here}`,
    ),
    ...testDifferences.map((one) => `DIFFERS ${unit} ${one.name} (${one.where}): opa ${one.opa}, plan ${one.plan}`),
  ]);
  return [table.toString(), ...details].join('\n');
}
