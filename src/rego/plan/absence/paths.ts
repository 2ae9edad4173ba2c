import { keyText } from '../../values/json';
import type { RegoValue } from '../../values/value';

/** A place in `input` or `data`, that word first; positions in lists are their digits. */
export type ValuePath = readonly string[];

/** A key as a step of a path. */
export function stepOf(key: RegoValue): string {
  return keyText(key);
}

/** As Rego would name it: `input.health["eu-west"].status`. */
export function pathText(path: ValuePath): string {
  return path
    .map((step, index) => (index === 0 ? step : NAME.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join('');
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
