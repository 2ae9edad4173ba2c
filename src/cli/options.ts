import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDuration } from '../kernel/duration';
import { JsonTextError, parseJsonText } from '../platform/documents/json-text';

export interface CommonOptions {
  settings?: string;
  output: 'text' | 'json';
}

export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how results are printed').choices(['text', 'json']).default('text'),
  );
}

export function withSettings(command: Command): Command {
  return command.option('--settings <file>', 'settings file (PKL, JSON or YAML); also GATE_SETTINGS');
}

/** Milliseconds of a duration option. */
export function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

export function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new InvalidArgumentError('Expected a whole number from 1 to 10000.');
  return number;
}

/** As `count`, and none. */
export function countOrNone(text: string): number {
  return text === '0' ? 0 : count(text);
}

export function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/** `key=value`; the value is read as JSON where it is JSON, otherwise as text. */
export function keyValue(text: string, earlier: Record<string, unknown> | undefined): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected key=value.');
  const raw = text.slice(at + 1);
  let value: unknown = raw;
  try {
    value = parseJsonText(raw);
  } catch (error) {
    // Plain text needs no quotes.
    if (error instanceof JsonTextError && error.isJson)
      throw new InvalidArgumentError(`${error.message}; a text is written in quotes.`);
  }
  return { ...earlier, [text.slice(0, at)]: value };
}

export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
}
