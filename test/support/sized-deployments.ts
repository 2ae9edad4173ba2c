import * as fc from 'fast-check';
import { attributesSize } from '../../src/gate/deployments/deployment-size';
import { jsonBytes, LIMITS } from '../../src/kernel/limits';

/** What a release of the tests sets for facts. */
export const SIZES = { factBytes: 1_000_000, snapshotBytes: 2_900_000 };

/** What one deployment carries, as sizes. */
export interface Sizes {
  /** bytes of each of three facts */
  fact: number;
  attributes: number;
  /** bytes of the whole deployment */
  deployment: number;
  reasons: { count: number; chars: number };
  /** entries of a fact that do not fit its schema */
  faults: number;
  /** characters of an operator's reason */
  operator: number;
  /** bytes of a signal's argument, and how many are sent */
  message: number;
  signals: number;
}

const NONE: Sizes = {
  fact: 0,
  attributes: 0,
  deployment: 0,
  reasons: { count: 0, chars: 20 },
  faults: 0,
  operator: 7,
  message: 2,
  signals: 1,
};

/** Just below, at, just above, well below or far above a limit. */
const around = (limit: number, most = 3 * limit): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: Math.max(0, limit - 40), max: limit + 40 }) },
    fc.integer({ min: Math.floor(limit * 0.7), max: limit }),
    fc.integer({ min: limit, max: most }),
  );
const third = (limit: number): fc.Arbitrary<number> => around(Math.floor(limit / 3), Math.floor(limit / 2));

/** Sizes around one limit, or the test that has them, or why nothing can be near it: every limit is here, and a new one must be. */
export const AROUND: Record<
  keyof typeof LIMITS,
  fc.Arbitrary<Partial<Sizes>> | { elsewhere: string } | { small: string }
> = {
  factBytes: around(SIZES.factBytes, 1_040_000).map((fact) => ({ fact })),
  snapshotBytes: third(SIZES.snapshotBytes).map((fact) => ({ fact })),
  carriedFactsBytes: third(LIMITS.carriedFactsBytes).map((fact) => ({ fact })),
  attributesBytes: around(LIMITS.attributesBytes, 900_000).map((attributes) => ({ attributes })),
  deploymentBytes: around(LIMITS.deploymentBytes).map((deployment) => ({ deployment })),
  reasons: fc.oneof(
    around(LIMITS.reasons.count).map((count) => ({ reasons: { count, chars: 20 } })),
    around(LIMITS.reasons.chars, 200_000).map((chars) => ({ reasons: { count: 3, chars } })),
    third(LIMITS.reasons.bytes).map((chars) => ({ reasons: { count: 30, chars: Math.floor(chars / 10) } })),
  ),
  faults: around(LIMITS.faults.count, 5_000).map((faults) => ({ faults })),
  operatorChars: around(LIMITS.operatorChars, 60_000).map((operator) => ({ operator, faults: 1 })),
  messageBytes: around(LIMITS.messageBytes, 1_500_000).map((message) => ({ message, faults: 1 })),
  notes: around(LIMITS.notes, 20).map((signals) => ({ signals, faults: 1 })),
  rememberedCalls: { small: 'each is an id and a reply of short texts, below 1 KB' },
  paths: { elsewhere: 'test/kernel/limits.test.ts' },
  warnings: { elsewhere: 'test/gate/facts/providers/fact-warnings.test.ts' },
  failureChars: { elsewhere: 'test/activities/to-application-failure.test.ts' },
  sourceChars: { elsewhere: 'test/gate/deployments/bounded-status.test.ts' },
  shownFacts: { elsewhere: 'test/gate/deployments/bounded-status.test.ts' },
  statusBytes: { elsewhere: 'test/gate/deployments/bounded-status.test.ts' },
};

/** Sizes around two of the limits, so that what fits alone must fit beside another. */
export const sizes: fc.Arbitrary<Sizes> = fc
  .shuffledSubarray(
    Object.values(AROUND).flatMap((one) => ('elsewhere' in one || 'small' in one ? [] : [one])),
    { minLength: 2, maxLength: 2 },
  )
  .chain(([first, second]) => fc.tuple(first!, second!))
  .map(([first, second]) => ({ ...NONE, ...first, ...second }));

/** A value with so many bytes as JSON. */
export function sized(value: object, bytes: number): object {
  const bare = jsonBytes({ filler: '', ...value });
  return { filler: 'f'.repeat(Math.max(0, bytes - bare)), ...value };
}

/**
 * A deployment of so many bytes, with attributes of so many.
 *
 * @param url of an action of its second stage, whose compensation, which is never sent, is what is big
 */
export function sizedDeployment(id: string, { attributes, deployment }: Sizes, url: string) {
  const bare = attributesSize([{ a: '' }]);
  const spec = (body: string) => ({
    id,
    ...(attributes < bare ? {} : { attributes: { a: 'a'.repeat(attributes - bare) } }),
    stages: [
      { name: 'canary' },
      ...(deployment === 0
        ? []
        : [
            {
              name: 'fleet',
              action: {
                ...{ type: 'http', method: 'PATCH', url, body: { target: 1 }, expect: 202 },
                compensation: { method: 'PATCH', url, body },
              },
            },
          ]),
    ],
  });
  return spec('b'.repeat(Math.max(0, deployment - jsonBytes(spec('')))));
}
