import type { JsonValue } from '../../kernel/json';
import { isEmptyDiff, type NameChanges, type ReleaseDiff } from '../../releases/diff/compare-releases';
import type { JsonChange } from '../../kernel/json-diff';
import type { RuleChange } from '../../releases/diff/rules';
import { quoted } from '../command-json';
import type { CasesResult, TriedDecision } from '../../releases/diff/try-cases';

/** Differences that text shows; JSON has all. */
const MOST_SHOWN = 20;

/** The diff for people: `-` is what a alone has, `+` what b alone has. */
export function diffLines(diff: ReleaseDiff, areOtherBytes: boolean): string[] {
  if (isEmptyDiff(diff)) {
    return [areOtherBytes ? 'nothing differs but the bytes: layout, comments or tests' : 'nothing differs'];
  }
  return [
    ...section('rules', diff.rules.flatMap(ruleLines)),
    ...section('facts read', nameLines(diff.facts)),
    ...section('inputs read', nameLines(diff.inputPaths)),
    ...section('limits and configuration read', nameLines(diff.limits)),
    ...section('built-ins called', nameLines(diff.builtIns)),
    ...section('configuration', diff.config.map(valueLine)),
    ...section('input.json', diff.inputSchema.map(valueLine)),
    ...section('data.json', diff.data.map(valueLine)),
  ];
}

/** The same for `-o json`: what stands on a side keeps its keys. */
export function diffDocument(diff: ReleaseDiff): object {
  const sides = ({ path, ...values }: JsonChange): object => ({
    path,
    ...Object.fromEntries(Object.entries(values).map(([side, value]) => [side, quoted(value)])),
  });
  const { config, inputSchema, data } = diff;
  return { ...diff, config: config.map(sides), inputSchema: inputSchema.map(sides), data: data.map(sides) };
}

/** What trying generated inputs came to, for people. */
export function casesLines(cases: CasesResult, atMs: number): string[] {
  const { tried, single, differing, seed, differences, isCalmAllowed, withoutValues } = cases;
  const shown = differences.slice(0, MOST_SHOWN);
  const more = differences.length - shown.length;
  return [
    `cases: ${tried} tried, ${differing} differ (seed ${seed}, decided at ${new Date(atMs).toISOString()})`,
    ...(isCalmAllowed ? [] : ['  no input was found that both allow: a denial may hide another']),
    ...(tried < single ? [`  not every value was tried: there are ${single} inputs with one value changed`] : []),
    ...(withoutValues.length > 0 ? [`  no value could be made for ${withoutValues.join(', ')}`] : []),
    ...shown.flatMap(({ input, a, b }) => [
      `  ${JSON.stringify(input)}`,
      `    - ${decisionText(a)}`,
      `    + ${decisionText(b)}`,
    ]),
    ...(more > 0 ? [`  and ${more} more; -o json shows all`] : []),
  ];
}

/** The same for `-o json`. */
export function casesDocument(cases: CasesResult, atMs: number): object {
  const decision = ({ outcome, denyReasons, faults }: TriedDecision): object => ({
    outcome,
    deny_reasons: denyReasons,
    ...(faults.length > 0 && { error: faults.map(({ type, message }) => ({ type, message })) }),
  });
  return {
    seed: cases.seed,
    at: new Date(atMs).toISOString(),
    tried: cases.tried,
    single: cases.single,
    differing: cases.differing,
    calm_input: quoted(cases.calm),
    calm_is_allowed: cases.isCalmAllowed,
    without_values: cases.withoutValues,
    differences: cases.differences.map(({ input, a, b }) => ({ input: quoted(input), a: decision(a), b: decision(b) })),
  };
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];

function ruleLines({ change, rule, a, b }: RuleChange): string[] {
  const textLines = (sign: string, side: RuleChange['a']): string[] =>
    side ? side.text.split('\n').map((line) => `  ${sign} ${line.replaceAll('\t', '    ')}`.trimEnd()) : [];
  const place = b ?? a;
  return [`${rule} ${change} (${place?.file}:${place?.row})`, ...textLines('-', a), ...textLines('+', b)];
}

const nameLines = ({ added, removed }: NameChanges): string[] => [
  ...removed.map((name) => `- ${name}`),
  ...added.map((name) => `+ ${name}`),
];

function valueLine({ path, a, b }: JsonChange): string {
  const text = (value: JsonValue | undefined): string => (value === undefined ? 'nothing' : JSON.stringify(value));
  return `${path || 'all of it'}: ${text(a)} -> ${text(b)}`;
}

function decisionText({ outcome, denyReasons, faults }: TriedDecision): string {
  const why = [...denyReasons, ...faults.map(({ type, message }) => `${type}: ${message}`)];
  return why.length === 0 ? outcome : `${outcome}: ${why.join('; ')}`;
}
