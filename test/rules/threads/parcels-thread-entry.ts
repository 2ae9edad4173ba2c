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
        const eaten: number[][] = [];
        for (;;) eaten.push(new Array<number>(1_000_000).fill(1.5));
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
