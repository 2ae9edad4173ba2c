import type { Fault } from '../../kernel/failures';
import { parseJsonText } from '../../platform/documents/json-text';

/** What a rule would declare for a fault not to be one, as the fault's message says it. */
export interface ProposedDeclaration {
  /** the line that noted it, `gate.rego:8` */
  where: string;
  optional?: string;
  builtinErrors?: 'undefined';
  comparisons?: 'as-opa';
}

const OPTIONAL = /custom\.gate\.optional: \[("(?:[^"\\]|\\.)*")\]/;

/**
 * Reads what `notesToFaults` writes: records keep messages, for people, and no notes. A whole fact has no proposal, as it is
 * never optional.
 */
export function proposedDeclarations(faults: readonly Fault[]): ProposedDeclaration[] {
  return faults.flatMap(({ where, message }): ProposedDeclaration[] => {
    if (where === undefined) return [];
    const optional = OPTIONAL.exec(message)?.[1];
    if (optional !== undefined) return [{ where, optional: parseJsonText(optional) as string }];
    if (message.includes('custom.gate.builtin_errors: undefined')) return [{ where, builtinErrors: 'undefined' }];
    return message.includes('custom.gate.comparisons: as-opa') ? [{ where, comparisons: 'as-opa' }] : [];
  });
}
