import { stringify } from 'yaml';
import type { JsonValue } from '../../kernel/json';

/** A value as one YAML 1.2 document, with a line's end; lines are not folded, so that each text stays in one piece. */
export function toYaml(value: JsonValue): string {
  return stringify(value, { lineWidth: 0 });
}
