import { serveRules } from '../../../src/rules/threads/serve-rules';
import { PARCELS } from '../parcels';

/** Functions that no domain should have: they loop, and eat memory. */
const functions = new Map([
  ...PARCELS.functions,
  [
    'loops',
    {
      name: 'loops',
      description: 'never ends',
      argumentFaults: () => [],
      evaluate: () => {
        for (;;);
      },
    },
  ],
  [
    'eats',
    {
      name: 'eats',
      description: 'takes memory without end',
      argumentFaults: () => [],
      evaluate: () => {
        const eaten: string[][] = [];
        for (;;) eaten.push(Array.from({ length: 100_000 }, (_, at) => `${at}-${eaten.length}`));
      },
    },
  ],
] as [string, never][]);

serveRules({
  domain: { ...PARCELS, functions },
  simulate: ({ before, after, options }) => ({
    before: before.policies.length,
    after: after.policies.length,
    options,
  }),
});
