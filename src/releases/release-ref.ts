/** The digests that name one release: one decision sees exactly one. */
export interface ReleaseRef {
  /** SHA-256 in hex of the policy bundle's bytes */
  policySha: string;
  /** SHA-256 in hex of the configuration file's bytes */
  configRev: string;
  /** version that the manifest gave it */
  manifestVersion: string;
}

/** Whether both name one release: the digests and the version, as a decision's record names all three. */
export function isSameRelease(one: ReleaseRef, other: ReleaseRef): boolean {
  return hasSameContent(one, other) && one.manifestVersion === other.manifestVersion;
}

/** Whether both decide alike: a manifest that names the same content under a new version changes no decision. */
export function hasSameContent(one: ReleaseRef, other: ReleaseRef): boolean {
  return one.policySha === other.policySha && one.configRev === other.configRev;
}
