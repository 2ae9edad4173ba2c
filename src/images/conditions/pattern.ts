import { RE2JS } from 're2js';

/** Whether a text holds what a pattern describes. */
export type PatternTest = (text: string | number) => boolean;

/** One step of a pattern: a class, an escape, a quantifier, or a character. Groups, counts and alternatives are not among them. */
const STEP = /\[\^?[^\][\\^]+\]|\\[dDwWsSbB.+*?^$/_-]|[.^$*+?]|[^\\[\](){}|.^$*+?]/guy;
/** Letters behind a backslash that stand for something else than themselves. */
const CLASS_LETTER = /[a-zA-Z]/;

/**
 * Compiles an RE2 pattern, which is looked for anywhere in a text. Texts without the pattern's plain text are told by that.
 *
 * @throws for an invalid pattern
 */
export function compilePattern(source: string): PatternTest {
  RE2JS.compile(source);
  const test = validPattern(source);
  const plain = plainText(source);
  if (plain === '') return test;
  return (text) => {
    const value = String(text);
    return value.includes(plain) && test(value);
  };
}

/**
 * As `compilePattern`, of a pattern that is known to be valid. It is compiled when it is first asked: compiled it takes 8 KiB, and
 * most patterns of a large folder are never asked.
 */
export function validPattern(source: string): PatternTest {
  let pattern: RE2JS | undefined;
  return (text) => (pattern ??= RE2JS.compile(source)).test(String(text));
}

/**
 * The longest text that every match of a pattern holds, where it is plain to see: of `^v[0-9]+\.7$` that is `.7`. Empty for
 * patterns with groups, flags, counts or alternatives.
 */
export function plainText(source: string): string {
  let [longest, run, read] = ['', '', 0];
  const end = (): void => {
    if (run.length > longest.length) longest = run;
    run = '';
  };
  for (const [step] of source.matchAll(STEP)) {
    read += step.length;
    const isEscaped = step.startsWith('\\');
    if (step === '*' || step === '?') {
      // The character before it may be absent.
      run = run.replace(/.$/su, '');
      end();
    } else if (step.length === 1 && '.^$+'.includes(step)) end();
    else if (step.startsWith('[') || (isEscaped && CLASS_LETTER.test(step))) end();
    else run += isEscaped ? step.slice(1) : step;
  }
  end();
  return read === source.length ? longest : '';
}
