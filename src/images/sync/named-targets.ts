import type { ImageMetadata } from '../image-metadata';
import { coversName } from './plan-image';
import { hostOf, nameOf, type Candidate, type SyncContext } from './sync-context';

/** Where an image may go, as far as its name tells; undefined for a target that is known only once the image is read. */
export function namedTargets(
  context: SyncContext,
  candidate: Omit<Candidate, 'hasReferrersTag' | 'mayHaveReferrersTag'>,
): (string | undefined)[] {
  const { registry, repository, tag } = candidate;
  const image: ImageMetadata = { registry, repository, tag };
  const found = context.set.policies
    .filter((policy) => coversName(context, policy, candidate))
    .flatMap(({ actions }) =>
      actions.flatMap((action): (string | undefined)[] => {
        if (!('target' in action)) return [];
        const { target } = action;
        const [name, as] = [target.repository.fill(image), target.tag?.fill(image) ?? { name: tag }];
        if ('fault' in name || 'fault' in as) return [undefined];
        return [nameOf({ registry: hostOf(context, target.registry), repository: name.name, tag: as.name })];
      }),
    );
  const mapped = context.decide.mapping?.find(
    (one) => hostOf(context, one.registry) === registry && one.fitsRepository(repository),
  );
  if (mapped === undefined) return found;
  const name = mapped.target.repository.fill(image);
  const host = hostOf(context, mapped.target.registry);
  return [...found, 'fault' in name ? undefined : nameOf({ registry: host, repository: name.name, tag })];
}
