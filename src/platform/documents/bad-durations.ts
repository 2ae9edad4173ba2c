import { isDuration, parseDuration } from '../../kernel/duration';
import { escapePointer } from '../../kernel/json-pointer';

/**
 * Durations in a validated document that are well-formed but beyond what can be counted in milliseconds. Keys of free
 * content (`limits`, `parameters`, `options`, `attributes`) are passed over: a text there is no duration.
 */
export function findBadDurations(document: unknown): { pointer: string; sentence: string }[] {
  const found: { pointer: string; sentence: string }[] = [];
  walk(document, '', found);
  return found;
}

const FREE = new Set(['limits', 'parameters', 'options', 'attributes', 'headers', 'body', 'description']);

function walk(value: unknown, pointer: string, found: { pointer: string; sentence: string }[]): void {
  if (typeof value === 'string' && isDuration(value)) {
    try {
      parseDuration(value);
    } catch {
      found.push({
        pointer,
        sentence: `expected a duration that can be counted in milliseconds, got ${value.slice(0, 40)}`,
      });
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      if (!FREE.has(key)) walk(each, `${pointer}/${escapePointer(key)}`, found);
    }
  }
}
