import type { Fault } from '../../kernel/failures';

/** How faults name the document that a caller gave. */
export const GIVEN_DOCUMENT = 'policy';

/** A fault's sentence without the name that it gives to the document: for whoever is told the place beside it. */
export function faultSentence({ message }: Fault): string {
  return message.startsWith(`${GIVEN_DOCUMENT}: `) ? message.slice(GIVEN_DOCUMENT.length + 2) : message;
}

/**
 * The place of a fault in the document that a caller gave, such as `conditions.all[0].metric`; empty for the whole document,
 * undefined where the fault is elsewhere, such as in a policy that extends it.
 */
export function faultField({ where }: Fault): string | undefined {
  if (where === undefined) return undefined;
  if (where === GIVEN_DOCUMENT) return '';
  return where.startsWith(`${GIVEN_DOCUMENT} `) ? where.slice(GIVEN_DOCUMENT.length + 1) : undefined;
}
