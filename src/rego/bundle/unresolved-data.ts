import type { JsonObject } from '../../kernel/json';
import { valueAt } from '../../kernel/json-pointer';
import { mayMatch } from '../analysis/data-references';
import type { Declarations } from '../declarations/declaration';
import { pathText } from '../plan/absence/paths';
import type { PlanReads } from '../plan/plan-reads';
import type { BundleFault } from './unnamed-reads';

/**
 * Paths of `data` that a bundle's rules read, and that neither its rules nor its data have: a rule over an absent value does
 * not fire. As for a folder, whose references `opa deps` lists; a bundle made elsewhere is asked by its plan.
 */
export function unresolvedReads({
  planned: { data: reads, rules },
  data,
  declarations,
}: {
  /** what the plan reads */
  planned: PlanReads;
  data: JsonObject;
  declarations: Declarations;
}): BundleFault[] {
  const optional = declarations.rules.flatMap((rule) => rule.optional);
  const isRule = (path: readonly string[]): boolean =>
    rules.some((rule) => path.every((key, at) => rule[at] === undefined || rule[at] === key));
  const found: BundleFault[] = [];
  for (const { path, at } of reads.values()) {
    if (path[0] === 'config' || valueAt(data, path) !== undefined || isRule(path)) continue;
    const full = ['data', ...path];
    if (optional.some((pattern) => mayMatch(pattern, full))) continue;
    // Of a path that is absent from one key on, that key is enough.
    if (path.length > 1 && valueAt(data, path.slice(0, -1)) === undefined) continue;
    const what = `${pathText(full)}: expected a rule or a value in data.json, found neither; where that is normal, a rule declares it in custom.gate.optional`;
    found.push({ where: `${at.file.replace(/^\/+/, '')}:${at.row}:${at.col}`, pointer: '', what });
  }
  return found;
}
