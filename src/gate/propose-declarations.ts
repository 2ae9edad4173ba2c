import type { Fault } from '../kernel/failures';
import { FailureType, GateError } from '../kernel/failures';
import { isJsonObject } from '../kernel/json';
import { parseJsonText } from '../platform/documents/json-text';
import { ruleLines } from '../rego/declarations/read-declarations';
import { writeDeclarations, type WrittenDeclarations } from '../rego/declarations/write-declarations';
import { parseRego, readPolicyFolder } from '../rego/toolchain/policy-folder';
import { proposedDeclarations } from './decisions/declarations-in-faults';

/**
 * The METADATA blocks that would declare what evaluations found missing or failing, for the policy in `dir` as it is now.
 *
 * @param faults of decisions, with those that a denial lists as notes
 */
export async function proposeDeclarations(dir: string, faults: readonly Fault[]): Promise<WrittenDeclarations> {
  const { regoFiles } = await readPolicyFolder(dir);
  const trees = new Map<string, unknown>();
  for (const file of regoFiles) trees.set(file, (await parseRego(dir, file)).tree);
  return writeDeclarations(proposedDeclarations(faults), ruleLines(trees));
}

/**
 * The faults of the decisions in a file of audit records, one JSON object a line, as `gate audit export` writes it.
 *
 * @throws GateError ConfigInvalid naming the line that is no record
 */
export function faultsOfRecords(text: string, file: string): Fault[] {
  return text.split('\n').flatMap((line, index): Fault[] => {
    if (line.trim() === '') return [];
    let record: unknown;
    try {
      record = parseJsonText(line);
    } catch {
      record = undefined;
    }
    if (!isJsonObject(record)) {
      const message = `${file}:${index + 1}: expected an audit record as a JSON object`;
      throw new GateError(FailureType.ConfigInvalid, message);
    }
    const evaluation = isJsonObject(record.evaluation) ? record.evaluation : {};
    return [...faultsIn(record.errorDetails), ...faultsIn(evaluation.notes)];
  });
}

const faultsIn = (value: unknown): Fault[] =>
  Array.isArray(value)
    ? value.filter((one): one is Fault & typeof one => isJsonObject(one) && typeof one.message === 'string')
    : [];
