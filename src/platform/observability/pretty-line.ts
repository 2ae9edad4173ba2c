import pc from 'picocolors';
import { visibleLines } from '../../kernel/visible-text';

const LEVELS: Record<number, string> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };

/** One line of pino's JSON as a person reads it: `12:00:01.250 INFO  message key=value`; what is no JSON stays as it is. No control character of a text reaches the terminal. */
export function toPrettyLine(line: string, colour: boolean): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return visibleLines(line);
  }
  const { level, time, msg, err, ...rest } = entry;
  const colours = pc.createColors(colour);
  const name = (LEVELS[Number(level)] ?? String(level)).padEnd(5);
  const paint = Number(level) >= 50 ? colours.red : Number(level) >= 40 ? colours.yellow : colours.cyan;
  const details = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const clock = typeof time === 'number' ? `${new Date(time).toISOString().slice(11, 23)} ` : '';
  const head = [
    clock + paint(name),
    visibleLines(String(msg ?? '')),
    colours.dim(visibleLines(details.join(' '))),
  ].filter((part) => part !== '');
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${visibleLines(String(err.stack))}` : '';
  return `${head.join(' ')}${stack}\n`;
}
