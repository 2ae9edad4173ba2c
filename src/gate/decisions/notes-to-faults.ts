import { FailureType, type Fault } from '../../kernel/failures';
import type { Note } from '../../rego/plan/absence/note';
import { pathText, type ValuePath } from '../../rego/plan/absence/paths';

/** What the notes of an evaluation are taken from. */
export interface EvaluationNotes {
  absent: readonly Note[];
  builtinErrors: readonly Note[];
  comparisons: readonly Note[];
  /** there were more than are listed */
  isTruncated: boolean;
}

/** A decision names so many; the record of one with more says that there were. */
const MOST_FAULTS = 50;

/**
 * Why an evaluation cannot be relied on, one fault a note, in the order of the source: `FactMissing` for a fact that is not
 * there at all, `FactInvalid` for anything else in the input, `ConfigInvalid` for the configuration, `PolicyEvaluation` for
 * other data, values that the policy made, built-ins and comparisons. Each says what to do. Empty when there are no notes.
 */
export function notesToFaults(notes: EvaluationNotes): Fault[] {
  const all = [...notes.absent, ...notes.builtinErrors, ...notes.comparisons];
  const faults = all.slice(0, MOST_FAULTS).map(toFault);
  if (all.length > MOST_FAULTS || notes.isTruncated) {
    const more = notes.isTruncated ? 'many' : String(all.length - MOST_FAULTS);
    faults.push({
      type: FailureType.PolicyEvaluation,
      message: `${more} more places where something was missing or failed`,
    });
  }
  return faults;
}

function toFault(note: Note): Fault {
  const where = `${note.at.file}:${note.at.row}`;
  return {
    type: typeOf(note),
    message: `${where}: ${note.message}; ${advice(note)}`,
    where,
    ...(factOf(note.path) === undefined || note.isMade ? {} : { factId: factOf(note.path)! }),
  };
}

function typeOf({ kind, path, isMade }: Note): FailureType {
  if (path === undefined || isMade) return FailureType.PolicyEvaluation;
  if (path[0] === 'input')
    return path.length === 2 && kind === 'absent' ? FailureType.FactMissing : FailureType.FactInvalid;
  return path[1] === 'config' ? FailureType.ConfigInvalid : FailureType.PolicyEvaluation;
}

/** `deployment` and `decision_time` are not facts. */
function factOf(path: ValuePath | undefined): string | undefined {
  if (path?.[0] !== 'input') return undefined;
  return path[1] === 'deployment' || path[1] === 'decision_time' ? undefined : path[1];
}

function advice({ kind, path, isMade, rule }: Note): string {
  if (kind === 'comparison') return 'convert one side, or declare custom.gate.comparisons: as-opa for the rule';
  if (kind.startsWith('builtin'))
    return 'check the value first, or declare custom.gate.builtin_errors: undefined for the rule';
  if (path === undefined) return 'see docs/policies.md';
  const isWholeFact = path[0] === 'input' && path.length === 2;
  if (kind === 'empty') {
    const bySchema = 'where that is normal, the schema says minItems: 0 or minProperties: 0';
    return isWholeFact ? bySchema : `${bySchema}, or ${rule} declares ${declaration(path)}`;
  }
  if (isMade)
    return `add what is missing to the policy, look before reading, or declare ${declaration(path)} for ${rule}`;
  if (isWholeFact) return 'a whole fact cannot be optional; its provider may say onMissing';
  return `where that is normal, ${rule} declares ${declaration(path)}, or looks before it reads`;
}

/** A position in a list is any position: an element's place says nothing of what it is. */
function declaration(path: ValuePath): string {
  const pattern = pathText(path).replaceAll(/\["\d+"\]/g, '.*');
  return `custom.gate.optional: [${JSON.stringify(pattern)}]`;
}
