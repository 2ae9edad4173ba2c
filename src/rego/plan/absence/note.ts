import type { SourceLine } from '../plan';
import type { ValuePath } from './paths';

/**
 * Why an evaluation cannot be relied on at some line.
 * - `absent`, `null`: a lookup found nothing, or null
 * - `scalar`: a lookup or an iteration in a value that holds nothing, such as a text where an object was expected
 * - `empty`: an iteration or an aggregate over an empty collection that came from outside
 * - `pattern`: an array or object pattern that a value from outside does not fit by its length or type
 * - `builtin-error`, `builtin-undefined`: a built-in that reported an error, or neither answered nor reported one
 * - `comparison`: values of different types were compared
 */
export type NoteKind =
  'absent' | 'null' | 'scalar' | 'empty' | 'pattern' | 'builtin-error' | 'builtin-undefined' | 'comparison';

export interface Note {
  kind: NoteKind;
  at: SourceLine;
  /** the rule or function whose body it is, `data.gate.allow` */
  rule: string;
  /** where the value is or should be; a value that the policy made is named by its rule. Absent for built-ins and comparisons */
  path?: ValuePath;
  /** whether the path is one of the policy's own values */
  isMade?: boolean;
  builtin?: string;
  /** what was expected and what was found, without the line */
  message: string;
}

/** In the order of the source: the notes of an evaluation are a set, whatever order they were made in. */
export function compareNotes(a: Note, b: Note): number {
  return (
    compareTexts(a.at.file, b.at.file) ||
    a.at.row - b.at.row ||
    a.at.col - b.at.col ||
    compareTexts(a.kind, b.kind) ||
    compareTexts(a.message, b.message)
  );
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
