import { isJsonObject, type JsonValue } from '../../kernel/json';
import { LIMITS } from '../../kernel/limits';
import type { SchemaFault } from '../../platform/documents/validate';
import { invalidFailure, planFailure } from './plan-failure';
import type { Caller } from './plan-service';

/** What somebody says who asks for something. */
export interface Asked {
  actor: string;
  reason?: string;
  node?: string;
}

/** Which words a question has. */
export interface AskedShape {
  needed: readonly (keyof Asked)[];
  other: readonly (keyof Asked)[];
}

/**
 * The words of a body: texts that are not empty. Without `actor` it is the caller's own name.
 *
 * @throws PlanFailure Invalid with every fault, Forbidden for another's name
 */
export function readWords(
  body: JsonValue,
  { needed, other }: AskedShape,
  { actor = 'server', namesOthers = true }: Caller,
): Asked {
  const known: readonly string[] = [...needed, ...other];
  if (!isJsonObject(body)) {
    const words = needed.length === 0 ? `, which may have ${other.join(' and ')}` : ` with ${needed.join(' and ')}`;
    throw planFailure('Invalid', `Expected an object${words}`);
  }
  const faults: SchemaFault[] = Object.keys(body).flatMap((key) =>
    known.includes(key) ? [] : [{ pointer: `/${key}`, sentence: `expected only ${known.join(', ')}` }],
  );
  for (const key of known) {
    if (body[key] === undefined && !(needed as readonly string[]).includes(key)) continue;
    const sentence = textFault(body[key]);
    if (sentence !== undefined) faults.push({ pointer: `/${key}`, sentence });
  }
  if (faults.length > 0) throw invalidFailure(faults);
  const { reason, node, actor: named = actor } = body as Partial<Asked>;
  if (!namesOthers && named !== actor)
    throw planFailure('Forbidden', `Expected actor to be ${actor}, whose token this is, got ${named}`);
  return { actor: named, ...(reason === undefined ? {} : { reason }), ...(node === undefined ? {} : { node }) };
}

function textFault(value: JsonValue | undefined): string | undefined {
  const most = LIMITS.operatorChars;
  if (typeof value !== 'string' || value.trim() === '') return 'expected a text that is not empty';
  return value.length > most ? `expected at most ${most} characters, got ${value.length}` : undefined;
}
