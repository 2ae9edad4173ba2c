import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { faultsToError } from '../kernel/failures';
import { isJsonObject, type JsonValue } from '../kernel/json';
import { escapePointer } from '../kernel/json-pointer';
import { maskPathFault } from '../kernel/mask-rule';
import { readEncrypted } from '../platform/documents/encrypted-text';
import { displayPath } from '../platform/documents/json-document';
import { findBadDurations } from '../platform/documents/bad-durations';
import { parseDuration } from '../kernel/duration';
import { Settings } from './settings';
import { faultAt, validate, type DocumentPlace } from '../platform/documents/validate';
import { loadDocument } from '../platform/documents/loaders/document';

/** The package's own release: the shipped policy with the example configuration. */
const PACKAGE_MANIFEST = resolve(__dirname, '../../configs/manifests/latest.json');

const NO_IDENTITY_FILE = 'expected secrets.identityFile, a file with the identity that decrypts it';

const LEAST_RETENTION_MS = 86_400_000;

/** Settings that were read and checked, with the folder of their file. */
export interface LoadedSettings {
  /** frozen, with every default filled in */
  settings: Settings;
  /** the folder that relative paths and secrets' files are relative to */
  baseDir: string;
  /** their file, and its lines, for what is found wrong later; absent where there is no file */
  place?: DocumentPlace;
}

/** Settings as a program writes them, in the names of a settings file: what is left out has its default. */
export type PlainSettings<T = Settings> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [key in keyof T]?: PlainSettings<T[key]> | undefined }
    : T;

/**
 * The settings of one worker or command, frozen. `release.manifest` comes back as a URL: a path in the file is relative to
 * the file; without a settings file, or where the file names none, it is the package's own manifest.
 *
 * @param from the path of a file, relative to `cwd`, or plain settings, whose paths are relative to `cwd`; undefined for what
 *   `GATE_SETTINGS` names, and all defaults when that is not set either
 * @throws GateError ConfigInvalid with every fault
 */
export async function loadSettings(
  from: string | PlainSettings | undefined,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<LoadedSettings> {
  if (from !== undefined && typeof from !== 'string') {
    return { settings: parseSettings(from as JsonValue, { file: 'the settings' }, cwd), baseDir: cwd };
  }
  // An empty variable is how a shell switches one off.
  const named = from ?? (env.GATE_SETTINGS === '' ? undefined : env.GATE_SETTINGS);
  if (named === undefined) return { settings: parseSettings({}, { file: 'the default settings' }, cwd), baseDir: cwd };
  const file = resolve(cwd, named);
  const { document, lineOf, columnOf } = await loadDocument(file);
  const baseDir = dirname(file);
  const place = { file, lineOf, columnOf };
  return { settings: parseSettings(document, place, baseDir), baseDir, place };
}

/** As loadSettings, for a document that was read already. */
export function parseSettings(document: JsonValue, place: DocumentPlace, baseDir: string): Settings {
  const settings = validate(Settings, document, place);
  const bad = findBadDurations(settings);
  const wrong = [
    ...(bad.length > 0 ? bad : findShortRetention(settings)),
    ...findWrongMasks(settings),
    ...findWrongSecrets(settings),
  ];
  const faults = wrong.map(({ pointer, sentence }) => faultAt(place, pointer, sentence));
  if (faults.length > 0) throw faultsToError(faults);
  const manifest = manifestUrl(document, settings.release.manifest, baseDir);
  return Object.freeze({ ...settings, release: Object.freeze({ ...settings.release, manifest }) });
}

/** Records would be deleted about as soon as they are written: a unit was mistaken, and an audit would find nothing. */
function findShortRetention({ audit: { store, retention } }: Settings): { pointer: string; sentence: string }[] {
  const given = [
    ['audit.store.retention', store.retention],
    ['audit.retention', retention],
  ] as const;
  return given.flatMap(([name, duration]) => {
    if (duration === undefined || parseDuration(duration) >= LEAST_RETENTION_MS) return [];
    const sentence = `expected ${name} to be at least 1d, got ${duration}`;
    return [{ pointer: `/${name.replaceAll('.', '/')}`, sentence }];
  });
}

/** What the schema's pattern cannot tell: a `~` that escapes nothing, and what names the decision. */
function findWrongMasks({ audit: { mask } }: Settings): { pointer: string; sentence: string }[] {
  return mask.flatMap((pointer, index) => {
    const fault = maskPathFault(pointer);
    return fault === undefined ? [] : [{ pointer: `/audit/mask/${index}`, sentence: `audit.mask[${index}]: ${fault}` }];
  });
}

/** Encrypted values that are damaged, or that no identity decrypts. Those of image policies are theirs. */
function findWrongSecrets(settings: Settings): { pointer: string; sentence: string }[] {
  const { identityFile } = settings.secrets;
  return encryptedValues(settings, '').flatMap(({ pointer, text }) => {
    const read = readEncrypted(text);
    const wrong = typeof read === 'string' ? read : identityFile === undefined ? NO_IDENTITY_FILE : undefined;
    return wrong === undefined ? [] : [{ pointer, sentence: `${displayPath(pointer)}: ${wrong}` }];
  });
}

/** Free content, in which a key `encrypted` is anyone's. */
const FREE = new Set(['policies', 'options', 'labels']);

function encryptedValues(value: unknown, pointer: string): { pointer: string; text: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const at = `${pointer}/${escapePointer(key)}`;
    if (key === 'encrypted' && typeof each === 'string') return [{ pointer: at, text: each }];
    return FREE.has(key) ? [] : encryptedValues(each, at);
  });
}

function manifestUrl(document: JsonValue, manifest: string, baseDir: string): string {
  const named = isJsonObject(document) && isJsonObject(document.release) && document.release.manifest !== undefined;
  if (!named) return pathToFileURL(PACKAGE_MANIFEST).href;
  // One letter before a colon would be a drive.
  return /^[a-z][a-z0-9+.-]+:/i.test(manifest) ? manifest : pathToFileURL(resolve(baseDir, manifest)).href;
}
