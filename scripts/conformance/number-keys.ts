/** A reference into `data` with a number as key, as `data.list[0]`. */
export interface NumberKey {
  /** 1-based */
  line: number;
  /** the reference as it is written */
  text: string;
}

const NUMBER_KEY = /\bdata(?:\.[A-Za-z_]\w*|\["[^"\n]*"\])*\[\s*-?\d+\s*\]/g;

/**
 * References into `data` that OPA and its wasm answer differently: OPA finds the key `"2"` of an object for `data.x[2]`,
 * the module does not.
 * With `list := data.x` and `list[2]` both agree.
 *
 * Works on the text of one Rego file, and so finds them in comments and strings too.
 */
export function findNumberKeys(source: string): NumberKey[] {
  return source
    .split('\n')
    .flatMap((text, index) => [...text.matchAll(NUMBER_KEY)].map((match) => ({ line: index + 1, text: match[0] })));
}
