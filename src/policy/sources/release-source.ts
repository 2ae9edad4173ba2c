import type { JsonObject } from '../../json';
import type { ReleaseConfig } from '../../config/release-config';
import type { Manifest } from '../manifest';
import type { PolicyBundle } from '../release';

/** A configuration file as it was read: the digest is of exactly the bytes that gave the document. */
export interface LoadedConfig {
  config: ReleaseConfig;
  configDocument: JsonObject;
  /** SHA-256 in hex of the file's bytes */
  configRev: string;
}

/** What a manifest named at one moment, not yet loaded. */
export interface NamedRelease {
  manifest: Manifest;
  /** changes whenever the manifest or anything that it names does */
  fingerprint: string;
  loadPolicy(): Promise<PolicyBundle>;
  loadConfig(): Promise<LoadedConfig>;
}

/** Where releases come from. */
export interface ReleaseSource {
  /** the manifest's URL, for people */
  readonly where: string;
  /** folder or URL that the configuration's own relative paths start from */
  readonly configFolder: string;
  /**
   * Reads the manifest.
   *
   * @throws GateError ManifestInvalid, or PolicyUnavailable when it is out of reach
   */
  read(): Promise<NamedRelease>;
  /** calls `onChange` when something may have changed, as a nudge; undefined where the source cannot tell */
  watch?(onChange: () => void): () => void;
}
