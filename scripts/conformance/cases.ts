import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { fromPlain } from '../../src/rego/values/plain';
import type { RegoValue } from '../../src/rego/values/value';
import { parseValue } from '../../src/rego/values/wasm-text';

/**
 * How a case asks: `plain` for one value of a rule; `sorted` where a list stands for a set; `term` where the input is
 * written in Rego, with sets and keys of any type; `error` for a conflict, which ends the evaluation in any mode;
 * `strict` for an error of a built-in, which only OPA's strict mode reports; `bindings` for a query that is more than a
 * rule's path, and wants its variables.
 */
export type CaseForm = 'plain' | 'sorted' | 'term' | 'error' | 'strict' | 'bindings';

/** One of OPA's own cases. */
export interface ConformanceCase {
  note: string;
  /** the suite: the folder of its file */
  folder: string;
  form: CaseForm;
  /** `data.test.p` as an entrypoint, `test/p` */
  entrypoint: string;
  modules: string[];
  data: RegoValue;
  input?: RegoValue;
  want: Want;
}

/** `data.a.b = x` asks for a value, `data.a.b` only whether there is one other than false. */
export type Want =
  | { kind: 'value'; value: RegoValue; isSorted: boolean }
  | { kind: 'undefined' }
  | { kind: 'holds' }
  | { kind: 'fails' }
  | { kind: 'error'; isStrict: boolean };

interface RawCase {
  note: string;
  query: string;
  modules?: string[];
  data?: unknown;
  input?: unknown;
  input_term?: string;
  want_result?: Record<string, unknown>[];
  want_error?: string;
  want_error_code?: string;
  strict_error?: boolean;
  sort_bindings?: boolean;
  env?: unknown;
}

const PLAIN_QUERY = /^(data(?:\.[A-Za-z_]\w*)+)(\s*=\s*x)?$/;

/** Of the rule that a query of another kind becomes the body of. */
const QUERY_PACKAGE = 'conformance_query';

/**
 * The cases with query `data.a.b` or `data.a.b = x`, with modules and one result or none, and those whose query is of another
 * kind, as a rule of their own that collects its variables. Ordered by their files.
 *
 * @param folder `v1/test/cases/testdata/v1` of OPA's Go module
 */
export async function readCases(folder: string): Promise<ConformanceCase[]> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.yaml')).sort();
  const cases: ConformanceCase[] = [];
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    // as bigint, an integer keeps its digits
    const document = parse(text, { intAsBigInt: true, maxAliasCount: -1 }) as { cases?: RawCase[] } | null;
    for (const raw of document?.cases ?? []) {
      const read = toCase(raw, dirname(file));
      if (read) cases.push(read);
    }
  }
  return cases;
}

function toCase(raw: RawCase, folder: string): ConformanceCase | undefined {
  const [, path, bound] = PLAIN_QUERY.exec(raw.query.trim()) ?? [];
  if (raw.env !== undefined) return undefined;
  if (path === undefined) return toQueryCase(raw, folder);
  if (!raw.modules?.length || (raw.want_result ?? []).length > 1) return undefined;
  const { note, modules } = raw;
  const entrypoint = path.split('.').slice(1).join('/');
  const input = raw.input_term !== undefined ? parseTerm(raw.input_term) : plainInput(raw.input);
  if (raw.input_term !== undefined && input === undefined) return undefined;
  const common = { note, folder, entrypoint, modules, data: fromPlain(raw.data ?? {}), input };
  return { ...common, form: formOf(raw), want: wanted(raw, bound !== undefined) };
}

/** A compiled policy has no query but its entrypoints: the query becomes a rule, whose answers are its bindings in any order. */
function toQueryCase({ note, query, modules = [], data, input, ...raw }: RawCase, folder: string): ConformanceCase {
  const names = Object.keys(raw.want_result?.[0] ?? {}).sort();
  const bindings = names.map((name) => `"${name}": ${name}`).join(', ');
  const rule = `package ${QUERY_PACKAGE}\n\nanswers contains {${bindings}} if {\n\t${query}\n}\n`;
  const isError = raw.want_error !== undefined || raw.want_error_code !== undefined;
  return {
    note,
    folder,
    form: 'bindings',
    entrypoint: `${QUERY_PACKAGE}/answers`,
    modules: [...modules, rule],
    data: fromPlain(data ?? {}),
    input: plainInput(input),
    want: isError
      ? { kind: 'error', isStrict: raw.strict_error ?? false }
      : { kind: 'value', value: fromPlain(raw.want_result ?? []), isSorted: true },
  };
}

const plainInput = (input: unknown) => (input === undefined ? undefined : fromPlain(input));

/** undefined for the few terms that are more than a value, such as a comprehension */
function parseTerm(text: string): RegoValue | undefined {
  try {
    return parseValue(text);
  } catch {
    return undefined;
  }
}

function formOf(raw: RawCase): CaseForm {
  const isError = raw.want_error !== undefined || raw.want_error_code !== undefined;
  if (isError) return raw.strict_error ? 'strict' : 'error';
  if (raw.input_term !== undefined) return 'term';
  return raw.sort_bindings ? 'sorted' : 'plain';
}

function wanted(raw: RawCase, isBound: boolean): Want {
  if (raw.want_error !== undefined || raw.want_error_code !== undefined) {
    return { kind: 'error', isStrict: raw.strict_error ?? false };
  }
  const [result] = raw.want_result ?? [];
  if (!isBound) return { kind: result ? 'holds' : 'fails' };
  return result
    ? { kind: 'value', value: fromPlain(result.x), isSorted: raw.sort_bindings ?? false }
    : { kind: 'undefined' };
}
