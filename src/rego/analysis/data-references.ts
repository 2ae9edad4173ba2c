import { FailureType, type Fault } from '../../kernel/failures';
import type { JsonValue } from '../../kernel/json';
import { valueAt } from '../../kernel/json-pointer';
import type { Declarations } from '../declarations/declaration';
import type { PathPattern } from '../declarations/path-pattern';
import { pathText } from '../plan/absence/paths';
import { basePaths } from './reads';
import { refuse, type SourcePlace } from './source-faults';

/**
 * References to `data` that lead neither to a rule nor to the bundle's data, such as a misspelt package or a document that
 * no data file has: one fault each, unless a declaration makes the path optional. `data.config` comes with the release.
 *
 * @param deps the answer of `opa deps --format json` for the entrypoint
 * @param dataJson the bundle's data.json; absent counts as empty
 * @param placeOfRead where the policy names a path; @default not said
 */
export function unresolvedData(
  deps: unknown,
  dataJson: Uint8Array | undefined,
  declarations: Declarations,
  placeOfRead: (path: readonly string[]) => SourcePlace | undefined = () => undefined,
): Fault[] {
  const data = dataJson === undefined ? {} : (JSON.parse(Buffer.from(dataJson).toString('utf8')) as JsonValue);
  const optional = declarations.rules.flatMap((rule) => rule.optional);
  return basePaths(deps)
    .filter(([root, first]) => root === 'data' && first !== undefined && first !== 'config')
    .filter(
      (path) => valueAt(data, path.slice(1)) === undefined && !optional.some((pattern) => mayMatch(pattern, path)),
    )
    .map((path) => {
      const what = `${pathText(path)}: expected a rule or a value in a data file (data.json, data.yaml), found neither; where that is normal, a rule declares it in custom.gate.optional`;
      const place = placeOfRead(path);
      return place === undefined
        ? { type: FailureType.PolicyInvalid, message: what, where: pathText(path) }
        : refuse(place, what);
    });
}

/** Whether the pattern takes in the path, or something below where the path stops naming keys. */
export function mayMatch({ steps }: PathPattern, path: readonly string[]): boolean {
  for (let index = 0; ; index++) {
    if (index === path.length || index === steps.length) return index === path.length;
    const step = steps[index]!;
    if (step === '**') return true;
    if (step !== '*' && step.key !== path[index]) return false;
  }
}
