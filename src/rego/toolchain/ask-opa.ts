import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { faultsToError } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { PolicyBundle } from '../bundle/policy-bundle';
import { opaFaults, runOpa } from './opa';

/** Its package is no policy's own: the name would have to be written on purpose. */
const PACKAGE = 'planning_engine_asks';

/** An input, and the moment that it is decided at. */
export interface AskedInput {
  input: JsonObject;
  /** what `time.now_ns()` answers, epoch milliseconds */
  decisionTimeMs: number;
}

/**
 * What OPA itself answers for many inputs, by one `opa eval` over the Rego of a bundle: a small module loops over them.
 *
 * @param dataText JSON of the whole `data` document, configuration included
 * @returns an answer for each input in their order, undefined where OPA's is
 * @throws GateError PolicyInvalid where OPA gives no answer at all, OpaTimeoutError
 */
export async function askOpa(
  { sources, entrypoint }: Pick<PolicyBundle, 'sources' | 'entrypoint'>,
  dataText: string,
  inputs: readonly AskedInput[],
  { timeoutMs }: { timeoutMs: number },
): Promise<(JsonValue | undefined)[]> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-ask-'));
  try {
    const bundle = join(folder, 'bundle');
    const files: [string, string][] = [
      ...Object.entries(sources),
      ['data.json', dataText],
      [`${PACKAGE}.rego`, moduleFor(entrypoint)],
    ];
    for (const [name, text] of files) {
      await mkdir(dirname(join(bundle, name)), { recursive: true });
      await writeFile(join(bundle, name), text);
    }
    await writeFile(join(folder, 'input.json'), `[${inputs.map(askedText).join(',')}]`);
    const result = await runOpa(
      folder,
      ['eval', '--format', 'json', '-b', bundle, '--input', 'input.json', `data.${PACKAGE}.answers`],
      { timeoutMs },
    );
    if (result.code !== 0) throw faultsToError(opaFaults(result));
    const answers = answersIn(JSON.parse(result.stdout));
    return inputs.map((_input, at) => answers[at]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Whether the Rego of a bundle can be asked: `opa build -t wasm` leaves entrypoints out of the Rego that it puts into a bundle, and
 * imports them instead.
 */
export function canAskOpa({ sources, entrypoint }: Pick<PolicyBundle, 'sources' | 'entrypoint'>): boolean {
  const texts = Object.values(sources);
  const left = `import data.${entrypoint.split('/').join('.')}`;
  return texts.length > 0 && !texts.some((text) => text.split('\n').some((line) => line.trim() === left));
}

const moduleFor = (entrypoint: string): string => `package ${PACKAGE}

answers[i] := answer if {
	some i, one in input
	now := one.now
	answer := data.${entrypoint.split('/').join('.')} with input as one.input with time.now_ns as now
}
`;

/** Nanoseconds are written as text: they are beyond 2^53. */
const askedText = ({ input, decisionTimeMs }: AskedInput): string =>
  `{"now": ${Math.trunc(decisionTimeMs)}000000, "input": ${JSON.stringify(input)}}`;

function answersIn(output: unknown): JsonObject {
  const first = (list: unknown): unknown => (Array.isArray(list) ? list[0] : undefined);
  const result = first(isJsonObject(output) ? output.result : undefined);
  const expression = first(isJsonObject(result) ? result.expressions : undefined);
  return isJsonObject(expression) && isJsonObject(expression.value) ? expression.value : {};
}
