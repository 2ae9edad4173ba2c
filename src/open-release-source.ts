import { loadDocument } from './config/loaders/document';
import { loadReleaseConfig } from './config/loaders/release-config';
import { createFileSource } from './policy/sources/file-source';
import type { ReleaseSource } from './policy/sources/release-source';

/** Where the releases come from that a manifest's URL or path names. */
export function openReleaseSource(manifest: string): ReleaseSource {
  return createFileSource(manifest, { loadDocument, loadReleaseConfig });
}
