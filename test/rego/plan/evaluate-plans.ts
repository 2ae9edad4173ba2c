import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEvaluator } from '../../../src/rego/evaluation/evaluator';
import { aBundle, aRequest } from '../evaluation/trial-policy';

/** Evaluates each plan of a folder behind the isolation of production, and prints how each ended, a line for each. */
async function main(folder: string): Promise<void> {
  const evaluator = createEvaluator({ threads: 1, spares: 1, deadlineMs: 2_000 });
  for (const name of readdirSync(folder).sort()) {
    const plan = readFileSync(join(folder, name), 'utf8');
    const policy = { ...aBundle(new Uint8Array()), plan };
    const ended = await evaluator.evaluate(aRequest(policy, {}, { secondOpinion: 'off' })).then(
      () => 'answered',
      (error: Error) => error.message,
    );
    console.log(`${name} ${ended.slice(0, 300)}`);
  }
  await evaluator.close();
}

void main(process.argv[2]!);
