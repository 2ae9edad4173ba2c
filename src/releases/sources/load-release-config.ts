import { sha256 } from '../../kernel/digest';
import { GateError, type Fault } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { ReleaseConfig } from '../config/release-config';
import { parseReleaseConfig, soundParts } from '../config/parse-release-config';
import type { DocumentPlace } from '../../platform/documents/validate';
import { loadDocument, parseDocument, type LoadedDocument } from '../../platform/documents/loaders/document';

export interface LoadedReleaseConfig {
  config: ReleaseConfig;
  /** limits and parameters, as the policy sees them at `data.config` */
  configDocument: JsonObject;
  /** SHA-256 of the file's bytes, in hex */
  configRev: string;
  /** the file, and its lines, for what is found wrong later; absent where there is no file */
  place?: DocumentPlace;
}

/**
 * The configuration of a release. A file that holds `limits` alone is enough: all else has defaults.
 * One file is all of it: a .pkl file amends the package's Release.pkl and imports nothing of the user's own, because two
 * releases of the same digest must be the same.
 *
 * @throws GateError ConfigInvalid with every fault
 */
export async function loadReleaseConfig(path: string): Promise<LoadedReleaseConfig> {
  return toLoaded(await loadDocument(path, { alone: true }), path);
}

/** As loadReleaseConfig, from the bytes of a file that lies elsewhere; `where` is its URL. */
export async function readReleaseConfig(bytes: Uint8Array, where: string): Promise<LoadedReleaseConfig> {
  return toLoaded(await parseDocument(bytes, where), where);
}

/** A configuration as far as it is well, with everything that is wrong with it. */
export interface ConfigParts {
  /** what is sound, with defaults for the rest; absent where the file cannot be read at all */
  loaded?: LoadedReleaseConfig;
  /** an empty list when the whole is sound */
  faults: readonly Fault[];
}

/**
 * As loadReleaseConfig, but what is wrong with a part keeps no one from looking at the others: a check says all at once.
 *
 * @throws nothing that is about the file
 */
export async function loadConfigParts(path: string): Promise<ConfigParts> {
  return partsOf(() => loadDocument(path, { alone: true }), path);
}

/** As loadConfigParts, from the bytes of a file that lies elsewhere. */
export async function readConfigParts(bytes: Uint8Array, where: string): Promise<ConfigParts> {
  return partsOf(() => parseDocument(bytes, where), where);
}

async function partsOf(load: () => Promise<LoadedDocument>, file: string): Promise<ConfigParts> {
  let read: LoadedDocument | undefined;
  try {
    read = await load();
    return { loaded: toLoaded(read, file), faults: [] };
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    if (read === undefined) return { faults: error.faults };
    const { sound } = soundParts(read.document, { file, lineOf: read.lineOf, columnOf: read.columnOf });
    return { loaded: toLoaded({ ...read, document: sound }, file), faults: error.faults };
  }
}

/** What is in force without a configuration: the schema's defaults, which have no revision. */
export function defaultConfig(): LoadedReleaseConfig {
  const config = parseReleaseConfig({}, { file: 'defaults' });
  return { config, configDocument: documentOf(config), configRev: '' };
}

/** Providers' headers and tokens, and all else that is the gate's own, are not for policies to read. */
function documentOf({ limits, parameters }: ReleaseConfig): JsonObject {
  return Object.freeze({ limits, parameters }) as JsonObject;
}

function toLoaded({ document, bytes, lineOf, columnOf }: LoadedDocument, file: string): LoadedReleaseConfig {
  const place = { file, lineOf, columnOf };
  const config = parseReleaseConfig(document, place);
  return { config, configDocument: documentOf(config), configRev: sha256(bytes), place };
}
