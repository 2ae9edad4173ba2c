import type { Fault } from '../../kernel/failures';
import { isJsonObject } from '../../kernel/json';
import { refuse, type SourcePlace } from './source-faults';

/** How authors call rules that deny, by convention of OPA's tools and of this gate. */
const DENIALS = /\.(deny|deny_reasons|violation)$/;

/** A rule by its path, `data.gate.deny_reasons`, and its place. */
export interface NamedRule extends SourcePlace {
  path: string;
}

/**
 * Rules that are named as denials and that the entrypoint never reaches: they deny nothing, whatever their author thought.
 *
 * @param deps the answer of `opa deps --format json` for the entrypoint
 * @returns a warning a rule, at its first line
 */
export function unreachedDenials(rules: readonly NamedRule[], deps: unknown): Fault[] {
  if (!isJsonObject(deps) || !Array.isArray(deps.virtual)) return [];
  const reached = deps.virtual.map(pathOf);
  const isReached = (path: string): boolean =>
    reached.some((each) => each === path || path.startsWith(`${each}.`) || each.startsWith(`${path}.`));
  const found = new Map<string, Fault>();
  for (const { path, ...place } of rules) {
    if (!DENIALS.test(path) || isReached(path) || found.has(path)) continue;
    const what = `${path} denies nothing: the response of the package gate never reaches it`;
    found.set(path, refuse(place, what));
  }
  return [...found.values()];
}

/** A reference up to its first part that is worked out. */
function pathOf(ref: unknown): string {
  if (!Array.isArray(ref)) return '';
  const end = ref.findIndex((term, index) => index > 0 && isJsonObject(term) && term.type === 'var');
  return ref
    .slice(0, end === -1 ? undefined : end)
    .map((term) => (isJsonObject(term) ? String(term.value) : ''))
    .join('.');
}
