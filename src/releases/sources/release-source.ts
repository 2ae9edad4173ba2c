import type { JsonObject } from '../../kernel/json';
import type { ReleaseConfig } from '../config/release-config';
import type { DocumentPlace } from '../../platform/documents/validate';
import type { Manifest } from '../manifest';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import type { VerifiedSignature } from '../signing/verified-signature';

/** A configuration file as it was read: the digest is of exactly the bytes that gave the document. */
export interface LoadedConfig {
  config: ReleaseConfig;
  /** limits and parameters, which the policy sees as `data.config` */
  configDocument: JsonObject;
  /** SHA-256 in hex of the file's bytes */
  configRev: string;
  /** the file, and its lines, for what is found wrong later; absent where there is no file */
  place?: DocumentPlace;
  /**
   * paths that are refused by themselves, such as `limits` or `facts.max_pending`: they are left out of `config`, and no fault
   * follows from their absence. Only where what is sound of a refused configuration is looked at
   */
  leftOut?: readonly string[];
}

/** What a manifest named at one moment, not yet loaded. */
export interface NamedRelease {
  manifest: Manifest;
  /** changes whenever the manifest or anything that it names does */
  fingerprint: string;
  /** throws GateError PolicyInvalid (also when there is none), or PolicyUnavailable when it is out of reach */
  loadPolicy(): Promise<PolicyBundle>;
  loadConfig(): Promise<LoadedConfig>;
  /** who signed the manifest, as it was verified; absent where no signature is asked for */
  signature?: VerifiedSignature;
  /** from now on no manifest that was published before this one is taken; throws nothing. Absent without a signature */
  accept?(): Promise<void>;
  /** keeps what was loaded for a start without the source; throws nothing. Absent where there is nothing to gain */
  keep?(): Promise<void>;
}

/** Makes a policy of a bundle's bytes. */
export interface PolicyReader {
  /** true: bundles must be signed, and `read` refuses those that are not */
  readonly verifies: boolean;
  /** @throws GateError PolicyInvalid */
  read(bytes: Uint8Array): Promise<PolicyBundle>;
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
   * @throws GateError ManifestInvalid when it was read and names no release, or PolicyUnavailable when it could not be
   *   read (it is not there, or the store is out of reach): then it is unknown what it names
   */
  read(): Promise<NamedRelease>;
  /**
   * The last release that was kept, for a start while the source is out of reach; undefined when there is none, or when
   * the last `read` found that there is no manifest any more.
   *
   * @throws GateError PolicyUnavailable when what was kept was altered or half written
   */
  readKept?(): Promise<NamedRelease | undefined>;
  /** calls `onChange` when something may have changed, as a nudge; undefined where the source cannot tell */
  watch?(onChange: () => void): () => void;
}
