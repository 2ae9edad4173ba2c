import { canonicalJson } from '../../kernel/canonical-json';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import type { RuleDomain } from '../domain';
import type { RulesAnswer } from '../evaluation/answer';
import { answerDocument } from '../evaluation/answer-document';
import type { RuleCase } from './fixture';

/** What differs between an answer and what a case expects of it, each in one sentence; none when the case passes. */
export function differences(answer: RulesAnswer, { expect }: RuleCase, domain: RuleDomain): string[] {
  const { results } = answer;
  const found: string[] = [];
  const compare = (what: string, expected: JsonValue, actual: JsonValue) => {
    if (canonicalJson(expected) === canonicalJson(actual)) return;
    found.push(`${what}: expected ${shown(expected)}, got ${shown(actual)}`);
  };
  const named = (test: (result: (typeof results)[number]) => boolean) =>
    sorted(results.filter(test).map(({ policy }) => policy));
  const isEvaluated = (name: string) => results.some(({ policy }) => policy === name);

  if (expect.matched !== undefined)
    compare(
      'matched',
      sorted(expect.matched),
      named(({ matched }) => matched),
    );
  for (const name of expect.not_matched ?? []) {
    if (!isEvaluated(name)) found.push(`not_matched: ${name} was not evaluated`);
    else if (named(({ matched }) => matched).includes(name)) found.push(`not_matched: ${name} matched`);
  }
  for (const name of expect.unknown ?? []) {
    if (named(({ outcome }) => outcome === 'unknown').includes(name)) continue;
    const outcomes = results.filter(({ policy }) => policy === name).map(({ outcome }) => outcome);
    found.push(`unknown: ${name} is ${outcomes.join(', ') || 'not evaluated'}`);
  }
  if (expect.missing !== undefined) {
    compare('missing', sorted(expect.missing), sorted(results.flatMap(({ missing }) => missing)));
  }
  for (const [name, kept] of Object.entries(expect.kept ?? {})) {
    const candidates = results.filter(({ policy }) => policy === name).flatMap((result) => result.candidates ?? []);
    const ids = candidates.filter((candidate) => candidate.kept).map(({ id }) => id);
    compare(`kept of ${name}`, sorted(kept), sorted(ids));
  }
  const document = answerDocument(answer, domain);
  for (const key of ['actions', 'conflicts'] as const) {
    const expected = expect[key] as JsonObject[] | undefined;
    if (expected === undefined) continue;
    const actual = document[key] as JsonObject[];
    if (expected.length !== actual.length) compare(`number of ${key}`, expected.length, actual.length);
    else expected.forEach((one, at) => compare(`${key}[${at}]`, one, likeIn(actual[at]!, one)));
  }
  compare('number of refusals', expect.refusals ?? 0, answer.refusals.length);
  return found;
}

/** The part of a document that has the keys of an example. */
function likeIn(actual: JsonValue, example: JsonValue): JsonValue {
  if (Array.isArray(actual) && Array.isArray(example) && actual.length === example.length) {
    return actual.map((each, at) => likeIn(each, example[at]!));
  }
  if (!isJsonObject(actual) || !isJsonObject(example)) return actual;
  const keys = Object.keys(example).filter((key) => Object.hasOwn(actual, key));
  return Object.fromEntries(keys.map((key) => [key, likeIn(actual[key]!, example[key]!)]));
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

function shown(value: JsonValue): string {
  return shortText(JSON.stringify(value), 300);
}
