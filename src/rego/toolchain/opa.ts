import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FailureType, type Fault } from '../../kernel/failures';
import { placeText } from '../../kernel/fault-text';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import { closeName } from '../../platform/documents/close-name';
import { findTool } from '../../platform/tools/find-tool';
import { whyRefused } from '../refused-builtins';
import { createCapabilities } from '../capabilities';

export interface OpaResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** The largest output is a syntax tree or coverage report of a few megabytes. */
const MAX_OUTPUT_BYTES = 256 * 2 ** 20;
/** `opa build -t wasm` takes about a second; a minute means that it hangs. */
const TIMEOUT_MS = 60_000;

/** Test files take no part in what is built. */
export const WITHOUT_TESTS = ['--ignore', '*_test.rego'];

/** `opa` was stopped because it took too long. */
export class OpaTimeoutError extends Error {
  override readonly name = 'OpaTimeoutError';
}

/** Runs `opa` in `dir`, so that all paths in its output are relative to the policy's folder. Never throws for its exit code. */
export async function runOpa(
  dir: string,
  args: readonly string[],
  { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<OpaResult> {
  const { path } = await findTool('opa');
  return new Promise((resolve, reject) => {
    const options = { cwd: dir, maxBuffer: MAX_OUTPUT_BYTES, timeout: timeoutMs };
    execFile(path, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else if (error.killed) reject(new OpaTimeoutError(`opa ${args[0]} did not end within ${timeoutMs / 1000} s`));
      else reject(new Error(`Could not run ${path} ${args[0]} in ${dir}: ${error.message}`, { cause: error }));
    });
  });
}

export interface CapabilitiesFile {
  path: string;
  /** names of the built-ins that the `opa` at hand knows and the gate refuses */
  refused: ReadonlySet<string>;
  /** of those that a policy may call */
  allowed: ReadonlySet<string>;
}

/** Calls `work` with a file that names the built-ins a policy may use; the folder is removed after it. */
export async function withCapabilities<T>(work: (file: CapabilitiesFile, folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-policy-'));
  try {
    const { stdout } = await runOpa(folder, ['capabilities', '--current']);
    const current = JSON.parse(stdout) as JsonObject;
    const allowed = createCapabilities(current, 'plan');
    const path = join(folder, 'capabilities.json');
    await writeFile(path, JSON.stringify(allowed));
    const kept = builtinNames(allowed);
    const refused = new Set([...builtinNames(current)].filter((name) => !kept.has(name)));
    return await work({ path, refused, allowed: kept }, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function builtinNames(capabilities: JsonObject): Set<string> {
  const builtins = Array.isArray(capabilities.builtins) ? capabilities.builtins : [];
  return new Set(builtins.flatMap((one) => (isJsonObject(one) ? [String(one.name)] : [])));
}

/**
 * The faults in what `opa check --format json` or `opa parse --format json` printed, or in the text of commands that have no
 * JSON for errors; the text itself where it names no line of a file.
 */
export function opaFaults(
  output: OpaResult,
  { refused, allowed }: Pick<CapabilitiesFile, 'refused' | 'allowed'> = NO_NAMES,
): Fault[] {
  const text = output.stderr.trim() || output.stdout.trim() || `opa ended with code ${output.code}`;
  const errors = parseErrors(output.stderr) ?? parseErrors(output.stdout) ?? errorsInText(text);
  if (errors.length === 0) return [{ type: FailureType.PolicyInvalid, message: text.split('\n').join(' ') }];
  return errors.map((error) => {
    const location = isJsonObject(error.location) ? error.location : {};
    const where =
      typeof location.file === 'string'
        ? placeText(location.file, numberIn(location.row), numberIn(location.col))
        : undefined;
    const said = String(error.message);
    const builtin = /^undefined function (\S+)$/.exec(said)?.[1];
    const what =
      builtin !== undefined && refused.has(builtin)
        ? `built-in ${builtin} is not available: it ${whyRefused(builtin) ?? 'is implemented neither by the compiled policy nor by the gate'}`
        : builtin === undefined
          ? said
          : `${said}${meant(builtin, allowed)}`;
    const message = where === undefined ? what : `${where}: ${what}`;
    return { type: FailureType.PolicyInvalid, message, ...(where === undefined ? {} : { where }) };
  });
}

/** OPA's column 0 is the end of a file, which has none. */
const numberIn = (value: unknown): number | undefined => (typeof value === 'number' && value > 0 ? value : undefined);

const NO_NAMES = { refused: new Set<string>(), allowed: new Set<string>() };

function meant(name: string, known: ReadonlySet<string>): string {
  const close = closeName(name, [...known]);
  return close === undefined ? '' : `; did you mean ${close}?`;
}

/** `1 error occurred: gate.rego:26:2: rego_type_error: undefined function f`; what OPA shows of the line itself is left out. */
function errorsInText(text: string): JsonObject[] {
  return text.split('\n').flatMap((line) => {
    const [, file, row, col, message] = /([^\s:]+\.rego):(\d+)(?::(\d+))?: rego_\w+: (.+)$/.exec(line) ?? [];
    if (file === undefined || message === undefined) return [];
    return [{ message, location: { file, row: Number(row), ...(col === undefined ? {} : { col: Number(col) }) } }];
  });
}

function parseErrors(text: string): JsonObject[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && Array.isArray(value.errors) ? value.errors.filter(isJsonObject) : undefined;
  } catch {
    return undefined;
  }
}
