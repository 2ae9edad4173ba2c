import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDuration } from '../kernel/duration';
import type { JsonObject, JsonValue } from '../kernel/json';
import { LIMITS } from '../kernel/limits';
import { JsonTextError, parseJsonText } from '../platform/documents/json-text';
import { usageFaults } from './repeated-options';

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

/** For commands that ask `gate server`. @param what it is the server of */
export function serverOption(what: string): Option {
  return new Option(
    '--server <url>',
    `the server of ${what}; by default that of the settings; also GATE_SERVER. GATE_SERVER_TOKEN is its token`,
  );
}

/** For commands about a deployment that a workflow of other people may operate. */
export function withWorkflowId(command: Command): Command {
  return command.option(
    '--workflow-id <id>',
    'the workflow that awaits the gate for it; by default deployment/<id>, or the open one with this DeploymentId',
  );
}

/** Milliseconds of a duration option. */
function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** An option that takes a duration with its unit. @param byDefault is shown in the help as it is written here */
export function durationOption(flags: string, description: string, byDefault?: string): Option {
  const option = new Option(flags, description).argParser(duration);
  return byDefault === undefined ? option : option.default(parseDuration(byDefault), byDefault);
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

/** A text for the audit log: who acts, or why; at most as long as that of an operator's call. */
export function saidText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a text that is not blank.');
  const most = LIMITS.operatorChars;
  if (text.length > most) throw new InvalidArgumentError(`Expected at most ${most} characters, got ${text.length}.`);
  return text;
}

export function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/**
 * What `key=value` options say together; a value is read as JSON where it is JSON, otherwise as text.
 *
 * @throws CliExit 2 with every fault: no key, a number that would be rounded, a key given twice
 */
export function keyValues(option: string, texts: readonly string[]): JsonObject {
  const found = new Map<string, JsonValue>();
  const faults: string[] = [];
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = text.slice(0, at);
    if (at < 1) faults.push(`${option}: expected key=value, got ${JSON.stringify(text)}`);
    else if (found.has(key)) faults.push(`${option}: expected the key ${key} once, got it again`);
    else {
      // A faulty value counts for its key too: what is given twice is a fault of its own.
      const value = jsonOrText(text.slice(at + 1));
      found.set(key, 'value' in value ? value.value : null);
      if ('fault' in value) faults.push(`${option} ${key}: ${value.fault}`);
    }
  }
  if (faults.length > 0) throw usageFaults(faults);
  return Object.fromEntries(found);
}

/** Plain text needs no quotes; a text that is JSON, and not as this program reads JSON, does. */
function jsonOrText(text: string): { value: JsonValue } | { fault: string } {
  try {
    return { value: parseJsonText(text) };
  } catch (error) {
    if (!(error instanceof JsonTextError && error.isJson)) return { value: text };
    return { fault: `${error.message}; a text is written in quotes` };
  }
}

export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
}
