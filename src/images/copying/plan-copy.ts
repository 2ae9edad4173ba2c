import { readImageTree } from '../metadata/image-tree';
import type { Place } from '../registries/registry';
import type { CopyOptions, CopyOutcome } from '../copy-options';
import { selectPlatforms } from './select-platforms';

/** What a copy would do now. */
export interface CopyPlan {
  outcome: Exclude<CopyOutcome, 'withheld'>;
  digest: string;
  /** to be sent, or mounted within one registry */
  blobs: number;
  bytes: number;
  /** that the target has */
  blobsPresent: number;
  bytesPresent: number;
  /** the registry lacks the target's repository, and its settings ask for its creation */
  createsRepository?: true;
  /** what the tag names now, if it names another image */
  replaces?: string;
}

/**
 * Finds out what `copyImage` would transfer, without changing anything.
 *
 * @throws RegistryError
 */
export async function planCopy(
  source: Place,
  digest: string,
  target: Place,
  tag: string | undefined,
  { platforms, noOverwrite = false }: Pick<CopyOptions, 'platforms' | 'noOverwrite'> = {},
): Promise<CopyPlan> {
  const stored = platforms && (await source.registry.getManifest(source.repository, digest));
  const root = stored && selectPlatforms(stored, platforms);
  const wanted = root?.digest ?? digest;
  const before = await target.registry.headManifest(target.repository, tag ?? wanted);
  const nothing = { digest: wanted, blobs: 0, bytes: 0, blobsPresent: 0, bytesPresent: 0 };
  if (before?.digest === wanted) return { outcome: 'unchanged', ...nothing };
  if (before !== undefined && noOverwrite) return { outcome: 'kept', ...nothing, replaces: before.digest };
  const { blobs } = await readImageTree(source, wanted, root);
  const plan: CopyPlan = { outcome: 'copied', ...nothing };
  for (const { digest: blob, size } of blobs) {
    const isPresent = await target.registry.hasBlob(target.repository, blob);
    plan[isPresent ? 'blobsPresent' : 'blobs'] += 1;
    plan[isPresent ? 'bytesPresent' : 'bytes'] += size;
  }
  if (before !== undefined) return { ...plan, replaces: before.digest };
  const { registry, repository } = target;
  const isMissing =
    registry.createRepository !== undefined && plan.blobsPresent === 0 && !(await registry.hasRepository(repository));
  return isMissing ? { ...plan, createsRepository: true } : plan;
}
