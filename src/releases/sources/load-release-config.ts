import { sha256 } from '../../kernel/digest';
import type { JsonObject, JsonValue } from '../../kernel/json';
import type { ReleaseConfig } from '../config/release-config';
import { parseReleaseConfig } from '../config/parse-release-config';
import { loadDocument, parseDocument, type LoadedDocument } from '../../platform/documents/loaders/document';

export interface LoadedReleaseConfig {
  config: ReleaseConfig;
  /** the validated document with its defaults, as the policy sees it at `data.config` */
  configDocument: JsonObject;
  /** SHA-256 of the file's bytes, in hex */
  configRev: string;
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

/** What is in force without a configuration: the schema's defaults, which have no revision. */
export function defaultConfig(): LoadedReleaseConfig {
  const config = parseReleaseConfig({}, { file: 'defaults' });
  return { config, configDocument: config as unknown as JsonObject, configRev: '' };
}

function toLoaded({ document, bytes, lineOf }: LoadedDocument, file: string): LoadedReleaseConfig {
  const config = parseReleaseConfig(document, { file, lineOf });
  return {
    config,
    configDocument: config as unknown as Record<string, JsonValue>,
    configRev: sha256(bytes),
  };
}
