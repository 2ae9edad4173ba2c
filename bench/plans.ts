import type { Goal } from '../src/plans/kinds/goal';
import type { Plan } from '../src/plans/kinds/plan';
import { createPlanIndex, type PlanIndex } from '../src/plans/resolver/plan-index';
import { resolve } from '../src/plans/resolver/resolve';
import { alternate, type BenchRow } from './bench-row';
import { goalOf, planOf } from './plans-world';

const GOALS = 1_000;
const PLANS_OF_GOAL = 10;
const ROUNDS = 15;
const AT = Date.parse('2026-11-27T10:00:00Z');

/** Resolving in memory: compared with reading the same plans, with a scan of all for each goal, and with twice as many. */
export async function benchPlans(): Promise<BenchRow[]> {
  const once = world(GOALS);
  const twice = world(2 * GOALS);
  const full = () => milliseconds(() => pass(once.goals, once.plans));
  const rows: BenchRow[] = [];
  const add = async (
    name: string,
    baseline: string,
    most: number,
    ours: () => Promise<number>,
    base: () => Promise<number>,
  ) => {
    const measured = await alternate(ROUNDS, ours, base);
    rows.push({ name, baseline, ...measured, target: `<= ${most}`, met: measured.ratio <= most, unit: 'ms' });
  };
  const size = `${GOALS} goals over ${GOALS * PLANS_OF_GOAL} plans`;
  await add(`Resolving ${size}`, 'JSON.parse of the plans', 0.5, full, () =>
    milliseconds(() => void once.texts.forEach((text) => JSON.parse(text))),
  );
  await add(`Resolving ${size}`, 'a scan of all plans for each goal', 1 / 8, full, () =>
    milliseconds(() => once.goals.forEach((goal) => resolve(goal, once.plans, { nowMs: AT }))),
  );
  await add(
    `Resolving twice as many goals and plans`,
    size,
    2.4,
    () => milliseconds(() => pass(twice.goals, twice.plans)),
    full,
  );
  const index = createPlanIndex(once.plans);
  const goals = new Map(once.goals.map((goal) => [goal.metadata.name, goal]));
  await add(
    'Resolving after one plan has changed',
    `resolving ${size}`,
    0.01,
    () => milliseconds(() => change(index, goals, once.plans), once.plans.length),
    full,
  );
  return rows;
}

/** Puts each plan again and resolves the goals that it touches. */
function change(index: PlanIndex, goals: ReadonlyMap<string, Goal>, plans: readonly Plan[]): void {
  for (const plan of plans) {
    for (const place of index.put(plan)) {
      const goal = goals.get(place.name)!;
      resolve(goal, index.plansOf(place), { nowMs: AT });
    }
  }
}

function pass(goals: readonly Goal[], plans: readonly Plan[]): void {
  const index = createPlanIndex(plans);
  for (const goal of goals) resolve(goal, index.plansOf(goal.metadata), { nowMs: AT });
}

function world(count: number): { goals: Goal[]; plans: Plan[]; texts: string[] } {
  const goals = Array.from({ length: count }, (_, at) => goalOf(at));
  const texts = goals.flatMap((_, goal) =>
    Array.from({ length: PLANS_OF_GOAL }, (_each, at) => JSON.stringify(planOf(goal, at))),
  );
  return { goals: goals as unknown as Goal[], plans: texts.map((text) => JSON.parse(text) as Plan), texts };
}

/** In processor time, which other processes do not stretch. */
function milliseconds(run: () => void, times = 1): Promise<number> {
  const from = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(from);
  return Promise.resolve((user + system) / 1000 / times);
}
