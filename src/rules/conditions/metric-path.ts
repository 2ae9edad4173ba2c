import { displayStep } from '../../kernel/json-pointer';
import { parseJsonText } from '../../platform/documents/json-text';

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*/;
const STEP = /^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\[(0|[1-9][0-9]{0,8})\]|\[("(?:[^"\\]|\\.)*")\])/;

/**
 * The keys that a metric's name stands for: `node.labels["a.b/c"]` is `node`, `labels`, `a.b/c`. A key in brackets is a JSON
 * string or an index from 0.
 *
 * @returns undefined for a text that is no such name, `__proto__` as a key included
 */
export function parseMetricPath(text: string): string[] | undefined {
  const first = NAME.exec(text)?.[0];
  if (first === undefined) return undefined;
  const keys = [first];
  let rest = text.slice(first.length);
  while (rest !== '') {
    const [step, name, index, quoted] = STEP.exec(rest) ?? [];
    if (step === undefined) return undefined;
    const key = name ?? index ?? unquoted(quoted!);
    if (key === undefined) return undefined;
    keys.push(key);
    rest = rest.slice(step.length);
  }
  return keys.includes('__proto__') ? undefined : keys;
}

/** The keys as a metric's name; what `parseMetricPath` gives back as they were. */
export function metricName(keys: readonly string[]): string {
  return keys.reduce((path, key) => (/^(?:0|[1-9][0-9]*)$/.test(key) ? `${path}[${key}]` : displayStep(path, key)), '');
}

function unquoted(text: string): string | undefined {
  try {
    return parseJsonText(text) as string;
  } catch {
    return undefined;
  }
}
