import { copyImage, type CopyImageRequest, type CopyImageResult } from './copy-image';
import { copyReferrers, type ReferrersResult } from './copy-referrers';

export interface ReplicateImageRequest extends Omit<CopyImageRequest, 'beforeTag'> {
  /** also looks for new referrers of an image that the target has already @default false */
  referrersOfUnchanged?: boolean;
  /** false for a manifest that the source is known to have no tag of referrers for @default true */
  mayHaveReferrersTag?(digest: string): boolean;
  /** whether the source's tag still names the image, asked before the target's tag is moved @default true */
  isStillNamed?(): Promise<boolean>;
}

export interface ReplicateImageResult extends CopyImageResult {
  referrers: ReferrersResult;
}

/**
 * Copies an image and what refers to it: signatures, SBOMs, attestations. They are at the target before its tag is moved, so that
 * a reader that verifies signatures finds them.
 *
 * @throws RegistryError
 */
export async function replicateImage(request: ReplicateImageRequest): Promise<ReplicateImageResult> {
  const { source, target, referrersOfUnchanged = false, isStillNamed, incomplete, beforeCopy } = request;
  const mayHaveTag = request.mayHaveReferrersTag ?? (() => true);
  let referrers: ReferrersResult = { copied: [], present: [], absent: [] };
  const copied = await copyImage({
    ...request,
    beforeTag: async (manifests) => {
      referrers = await copyReferrers(source, target, manifests, { incomplete, mayHaveTag });
      return isStillNamed === undefined || (await isStillNamed());
    },
  });
  if (copied.outcome === 'unchanged' && referrersOfUnchanged)
    referrers = await copyReferrers(source, target, [copied.digest], { incomplete, beforeCopy, mayHaveTag });
  return { ...copied, absent: [...copied.absent, ...referrers.absent], referrers };
}
