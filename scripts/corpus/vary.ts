import type { JsonValue } from '../../src/kernel/json';
import { changedAt } from '../../src/releases/authoring/generated-inputs';
import type { Sample } from './samples';

const VALUES: readonly JsonValue[] = [
  ...[null, true, false, 0, -1, 1.5, 1e21, '', 'text', '7', '1Gi', '2026-01-02T03:04:05Z', '10.0.0.0/8'],
  ...[[], {}, ['text', 1], { key: 'text' }],
];

/**
 * Each sample with one value of its input taken away, or another in its place: what the policy's author did not think of. The
 * same seed gives the same.
 *
 * @param count how often each sample is varied
 */
export function varied(samples: readonly Sample[], count: number, seed: number): Sample[] {
  const random = randomFrom(seed);
  return samples.flatMap((sample) =>
    Array.from({ length: count }, (_, at): Sample[] => {
      const paths = pathsIn(sample.input);
      if (paths.length === 0) return [];
      const path = paths[Math.floor(random() * paths.length)]!;
      const to = random() < 0.4 ? undefined : VALUES[Math.floor(random() * VALUES.length)]!;
      const what = to === undefined ? 'without' : 'with another';
      return [
        {
          ...sample,
          from: `${sample.from}, ${what} ${path.join('.')} (${at})`,
          input: changedAt(sample.input, path, to),
        },
      ];
    }).flat(),
  );
}

function pathsIn(value: JsonValue): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [
    [key],
    ...pathsIn(child as JsonValue).map((path) => [key, ...path]),
  ]);
}

/** mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
