import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { BenchRow } from './bench-row';
import { benchAuditWrites } from './audit-writes';
import { benchColdStart } from './cold-start';
import { benchDecision } from './decision';
import { benchGatedStage } from './gated-stage';
import { benchImageDecisions } from './image-decisions';
import { benchImagePolicies } from './image-policies';
import { benchImages } from './images';
import { benchImagesScale } from './images-scale';
import { benchMemory } from './memory';
import { benchParsing } from './parsing';
import { benchPlans } from './plans';
import { benchPlansApi } from './plans-api';
import { benchReleases } from './releases';
import { benchReplay } from './replay';
import { benchRules } from './rules';
import { benchRulesApi } from './rules-api';
import { benchShards } from './shards';
import { benchSoak, DEFAULT_SOAK, parseSoak } from './soak';

/** Those that are measured where none is named; `isFull` takes longer. */
const partsOf = (isFull: boolean): Record<string, () => Promise<BenchRow[]>> => ({
  decision: benchDecision,
  memory: benchMemory,
  'cold-start': benchColdStart,
  'gated-stage': benchGatedStage,
  releases: benchReleases,
  replay: benchReplay,
  'audit-writes': benchAuditWrites,
  parsing: benchParsing,
  rules: benchRules,
  'rules-api': benchRulesApi,
  shards: () => benchShards({ isFull }),
  plans: benchPlans,
  'plans-api': benchPlansApi,
  images: benchImages,
  'images-scale': benchImagesScale,
  'image-decisions': benchImageDecisions,
  'image-policies': benchImagePolicies,
});

/** Takes minutes, and is measured only when it is named. */
const SOAK = 'soak';

/** Prints the rows as a table and as JSON; a missed target is said in its row and does not change the exit code. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      to: { type: 'string' },
      only: { type: 'string' },
      soak: { type: 'string', default: DEFAULT_SOAK },
      full: { type: 'boolean', default: false },
    },
  });
  const soak = parseSoak(values.soak);
  const usual = partsOf(values.full);
  const parts: typeof usual = { ...usual, [SOAK]: () => benchSoak(soak) };
  const names = values.only === undefined ? Object.keys(usual) : values.only.split(',');
  const unknown = names.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0) {
    throw new Error(`--only knows ${Object.keys(parts).join(', ')}; it does not know ${unknown.join(', ')}`);
  }
  const rows: BenchRow[] = [];
  for (const name of names) {
    process.stderr.write(`Measuring: ${name}\n`);
    rows.push(...(await parts[name]!()));
  }
  const [cpu] = cpus();
  const machine = {
    cores: cpus().length,
    cpu: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  const text = `${JSON.stringify({ machine, rows }, null, 2)}\n`;
  if (!values.json) process.stdout.write(`${asTable(rows)}\n`);
  process.stdout.write(text);
  if (values.to !== undefined) writeFileSync(values.to, text);
}

function asTable(rows: readonly BenchRow[]): string {
  const table = new Table({
    head: ['row', 'baseline', 'ours', 'baseline', 'ratio', 'target', ''],
    style: { head: [] },
  });
  for (const { name, baseline, ours, base, ratio, target, met, unit, skipped } of rows) {
    if (skipped !== undefined) {
      table.push([name, baseline, '-', '-', '-', target, `skipped: ${skipped}`]);
      continue;
    }
    const figure = (value: number): string => `${Number(value.toPrecision(4))} ${unit}`;
    table.push([name, baseline, figure(ours), figure(base), shownRatio(ratio), target, met ? 'met' : 'MISSED']);
  }
  return table.toString();
}

/** Two digits at least, however small it is. */
function shownRatio(ratio: number): string {
  return ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2);
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
