/** What a manifest says of another piece of content (OCI image specification 1.1). */
export interface Descriptor {
  mediaType: string;
  digest: string;
  /** bytes */
  size: number;
  platform?: { architecture: string; os: string; variant?: string };
  annotations?: Readonly<Record<string, string>>;
  artifactType?: string;
  /** a foreign layer, which registries need not hold */
  urls?: readonly string[];
}

/** A manifest as a registry names it. */
export interface ManifestHead {
  digest: string;
  mediaType: string;
}

export interface ManifestBytes extends ManifestHead {
  /** exactly as they are stored: the digest is over them */
  bytes: Uint8Array;
}
