import { sha256 } from '../../kernel/digest';
import { GateError, type Fault } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { ReleaseConfig } from '../config/release-config';
import { parseReleaseConfig, soundParts } from '../config/parse-release-config';
import type { LoadedConfig } from './release-source';
import { UnsoundConfigError } from '../unsound-config';
import { loadDocument, parseDocument, type LoadedDocument } from '../../platform/documents/loaders/document';

/**
 * The configuration of a release. A file that holds `limits` alone is enough: all else has defaults.
 * One file is all of it: a .pkl file amends the package's Release.pkl and imports nothing of the user's own, because two
 * releases of the same digest must be the same.
 *
 * @throws GateError ConfigInvalid with every fault; an UnsoundConfigError where the file could be read
 */
export async function loadReleaseConfig(path: string): Promise<LoadedConfig> {
  return toLoaded(await loadDocument(path, { alone: true }), path);
}

/** As loadReleaseConfig, from the bytes of a file that lies elsewhere; `where` is its URL. */
export async function readReleaseConfig(bytes: Uint8Array, where: string): Promise<LoadedConfig> {
  return toLoaded(await parseDocument(bytes, where), where);
}

/** A configuration as far as it is well, with everything that is wrong with it. */
export interface ConfigParts {
  /** what is sound, with defaults for the rest; absent where the file cannot be read at all */
  loaded?: LoadedConfig;
  /** an empty list when the whole is sound */
  faults: readonly Fault[];
}

/**
 * As loadReleaseConfig, but what is wrong with a part keeps no one from looking at the others: a check says all at once.
 *
 * @throws nothing that is about the file
 */
export async function loadConfigParts(path: string): Promise<ConfigParts> {
  return configParts(() => loadReleaseConfig(path));
}

/** As loadConfigParts, from the bytes of a file that lies elsewhere. */
export async function readConfigParts(bytes: Uint8Array, where: string): Promise<ConfigParts> {
  return configParts(() => readReleaseConfig(bytes, where));
}

/** As loadConfigParts, whatever loads it. */
export async function configParts(load: () => Promise<LoadedConfig>): Promise<ConfigParts> {
  try {
    return { loaded: await load(), faults: [] };
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    return { ...(error instanceof UnsoundConfigError && { loaded: error.sound }), faults: error.faults };
  }
}

/** What is in force without a configuration: the schema's defaults, which have no revision. */
export function defaultConfig(): LoadedConfig {
  const config = parseReleaseConfig({}, { file: 'defaults' });
  return { config, configDocument: documentOf(config), configRev: '' };
}

/** Providers' headers and tokens, and all else that is the gate's own, are not for policies to read. */
function documentOf({ limits, parameters }: ReleaseConfig): JsonObject {
  return Object.freeze({ limits, parameters }) as JsonObject;
}

function toLoaded({ document, bytes, lineOf, columnOf }: LoadedDocument, file: string): LoadedConfig {
  const place = { file, lineOf, columnOf };
  const loadedAs = (config: ReleaseConfig): LoadedConfig => ({
    config,
    configDocument: documentOf(config),
    configRev: sha256(bytes),
    place,
  });
  try {
    return loadedAs(parseReleaseConfig(document, place));
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const { sound, leftOut } = soundParts(document, place);
    throw new UnsoundConfigError(error, { ...loadedAs(parseReleaseConfig(sound, place)), leftOut });
  }
}
