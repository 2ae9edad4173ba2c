import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** One of OPA's own cases, as far as it is of plain form. */
export interface ConformanceCase {
  note: string;
  /** `data.test.p` as a wasm entrypoint, `test/p` */
  entrypoint: string;
  modules: string[];
  data?: unknown;
  input?: unknown;
  want: Want;
}

/** `data.a.b = x` asks for a value, `data.a.b` only whether there is one other than false. */
export type Want = { kind: 'value'; value: unknown } | { kind: 'undefined' } | { kind: 'holds' } | { kind: 'fails' };

interface RawCase {
  note: string;
  query: string;
  modules?: string[];
  data?: unknown;
  input?: unknown;
  input_term?: string;
  want_result?: Record<string, unknown>[];
  want_defined?: boolean;
  want_error?: string;
  want_error_code?: string;
  sort_bindings?: boolean;
  env?: unknown;
}

const PLAIN_QUERY = /^(data(?:\.[A-Za-z_]\w*)+)(\s*=\s*x)?$/;

/**
 * The cases of plain form: query `data.a.b` or `data.a.b = x`, with modules, without `want_error*`, `input_term`,
 * `sort_bindings` and `env`, one result or none. Ordered by their notes.
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
      const plain = toPlainCase(raw);
      if (plain) cases.push(plain);
    }
  }
  return cases;
}

function toPlainCase(raw: RawCase): ConformanceCase | undefined {
  const [, path, bound] = PLAIN_QUERY.exec(raw.query.trim()) ?? [];
  const results = raw.want_result ?? [];
  if (path === undefined || !raw.modules?.length) return undefined;
  if (Object.keys(raw).some((key) => key.startsWith('want_error'))) return undefined;
  if (raw.input_term !== undefined || raw.sort_bindings || raw.env !== undefined || results.length > 1)
    return undefined;
  const { note, modules, data, input } = raw;
  const [result] = results;
  const want: Want = bound
    ? result
      ? { kind: 'value', value: result.x }
      : { kind: 'undefined' }
    : { kind: result ? 'holds' : 'fails' };
  return { note, entrypoint: path.split('.').slice(1).join('/'), modules, data, input, want };
}
