import { RE2JS } from 're2js';
import { decideImage } from '../src/images/decision/decide-image';
import type { ImageMetadata } from '../src/images/image-metadata';
import { readImagePolicies } from '../src/images/policies/read-image-policies';
import { alternate, type BenchRow } from './bench-row';

const [POLICIES, IMAGES, ROUNDS] = [1_000, 1_000, 5];
/** As people write them: most have a beginning of their own, some an ending or a part. */
const PATTERNS = [
  (index: number) => `^team-${index}-.*`,
  (index: number) => `^v[0-9]+\\.${index}\\.[0-9]+$`,
  (index: number) => `^release-${index}$`,
  (index: number) => `-rc${index}$`,
] as const;
const TAGS = [
  (index: number) => `team-${index}-prod`,
  (index: number) => `v1.${index}.0`,
  (index: number) => `release-${index}`,
  (index: number) => `v2.0.0-rc${index}`,
] as const;

/** Decisions about images by policies of one pattern each, against a plain loop over the same patterns. */
export async function benchImageDecisions(): Promise<BenchRow[]> {
  const patterns = Array.from({ length: POLICIES }, (_, index) => PATTERNS[index % PATTERNS.length]!(index));
  const set = readImagePolicies(
    patterns.map((value, index) => ({
      where: { file: `${index}.json` },
      document: {
        id: `p${index}`,
        name: `Policy ${index}`,
        conditions: [{ type: 'tag', operator: 'matches', value }],
        actions: [{ type: 'replicate', target_registry: 'mirror', target_repo: '{repository}' }],
      },
    })),
  );
  const tags = Array.from({ length: IMAGES }, (_, index) => TAGS[index % TAGS.length]!(index));
  const images = tags.map((tag): ImageMetadata => ({ registry: 'docker.example', repository: 'team/app', tag }));
  const compiled = patterns.map((pattern) => RE2JS.compile(pattern));
  let [decided, found] = [0, 0];
  const clockNs = () => Math.round(performance.now() * 1e6);
  const timed = async (act: () => void): Promise<number> => {
    const from = performance.now();
    act();
    return performance.now() - from;
  };
  const times = await alternate(
    ROUNDS,
    () =>
      timed(() => {
        decided = 0;
        for (const image of images)
          decided += decideImage(set, image, { nowMs: 0, clockNs, timeoutMs: 5_000 }).matchedPolicies.length;
      }),
    () =>
      timed(() => {
        found = 0;
        for (const tag of tags) for (const pattern of compiled) if (pattern.matcher(tag).find()) found += 1;
      }),
  );
  if (decided !== found) throw new Error(`expected ${found} matches, got ${decided}`);
  return [
    {
      name: `Image policies: ${POLICIES} policies, ${IMAGES} images`,
      baseline: 'a plain loop over the same re2js patterns',
      ...times,
      target: '<= 1',
      met: times.ratio <= 1,
      unit: 'ms',
    },
  ];
}
