import { Command } from 'commander';
import type { PlanClient } from '../../clients/plans/plan-client';
import type { PlanObject } from '../../plans/object';
import type { Applied } from '../../plans/service/plan-service';
import type { CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { openObjects, withObjects } from './objects-option';
import { connectPlans, withPlanServer, type PlanServerOptions } from './server-option';

interface ApplyOptions extends PlanServerOptions, CommonOptions {
  file: string[];
  dryRun?: boolean;
}

export function plansApplyCommand({ io }: CommandContext): Command {
  const command = new Command('apply')
    .summary('create or replace objects on the server, as files have them')
    .description(
      'Checks the objects of files, then creates or replaces them on the server, and prints what became of each: created, updated or unchanged. Those of one namespace are stored all or none; with several namespaces all are checked before the first is stored. Objects that are only on the server are left alone.',
    )
    .option('--dry-run', 'say what would be stored, and store nothing');
  examples(withOutput(withPlanServer(withObjects(command))), [
    'gate plans apply -f goals-and-plans.yaml',
    'gate plans apply -f goals -f plans -n prod --dry-run',
  ]);
  return command.action(async ({ dryRun = false, ...options }: ApplyOptions) => {
    const { objects, warnings } = await openObjects(io, options);
    for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
    const client = await connectPlans(io, options);
    const applied: Applied['applied'] = [];
    try {
      await applyAll(client, objects, {
        dryRun,
        onApplied: (done) => {
          applied.push(...done.applied);
          for (const warning of done.warnings) io.stderr.write(`warning: ${warning}\n`);
        },
      });
    } finally {
      if (options.output === 'json') printJson(io, { dryRun, applied });
      else if (applied.length > 0) {
        const end = dryRun ? ' (dry run)' : '';
        printLines(
          io,
          applied.map(({ kind, namespace, name, action }) => `${kind} ${namespace}/${name} ${action}${end}`),
        );
      }
    }
  });
}

/** Namespace by namespace. What is owned comes after its owner. */
async function applyAll(
  client: PlanClient,
  objects: readonly PlanObject[],
  { dryRun, onApplied }: { dryRun: boolean; onApplied(applied: Applied): void },
): Promise<void> {
  const groups = new Map<string, PlanObject[]>();
  const ordered = [
    ...objects.filter(({ kind }) => kind !== 'Execution'),
    ...objects.filter(({ kind }) => kind === 'Execution'),
  ];
  for (const object of ordered) {
    const { namespace } = object.metadata;
    groups.set(namespace, [...(groups.get(namespace) ?? []), object]);
  }
  if (!dryRun && groups.size > 1) {
    for (const [namespace, group] of groups) await client.apply(namespace, group, { dryRun: true });
  }
  for (const [namespace, group] of groups) onApplied(await client.apply(namespace, group, { dryRun }));
}
