import { Command } from 'commander';
import type { PlanClient } from '../../clients/plans/plan-client';
import type { JsonObject, JsonValue } from '../../kernel/json';
import type { JsonChange } from '../../kernel/json-diff';
import { shortText } from '../../kernel/short-text';
import { kindNamed } from '../../plans/kinds/kinds';
import { asJson, objectName, type PlanObject } from '../../plans/object';
import { quoted } from '../command-json';
import { ExitCode, type CommandContext } from '../io';
import { examples, withOutput, type CommonOptions } from '../options';
import { printJson, printLines } from '../output';
import { openObjects, withObjects } from './objects-option';
import { connectPlans, withPlanServer, type PlanServerOptions } from './server-option';

interface DiffOptions extends PlanServerOptions, CommonOptions {
  file: string[];
}

interface Difference {
  object: PlanObject;
  action: 'created' | 'updated';
  changes: JsonChange[];
}

export function plansDiffCommand({ io, exit }: CommandContext): Command {
  const command = new Command('diff')
    .summary('show what applying files would change on the server')
    .description(
      'Compares the objects of files with those of the server, as the server would store them; nothing is stored. Exit code 0 when nothing differs, 1 when something does.',
    );
  examples(withOutput(withPlanServer(withObjects(command))), ['gate plans diff -f goals-and-plans.yaml']);
  return command.action(async (options: DiffOptions) => {
    const { objects } = await openObjects(io, options);
    const client = await connectPlans(io, options);
    const differences: Difference[] = [];
    for (const object of objects) {
      const found = await differenceOf(client, object);
      if (found !== undefined) differences.push(found);
    }
    if (options.output === 'json') {
      const side = (value: JsonValue | undefined) => (value === undefined ? undefined : quoted(value));
      printJson(io, {
        objects: differences.map(({ object: { kind, metadata }, action, changes }) => ({
          ...{ kind, namespace: metadata.namespace, name: metadata.name, action },
          changes: changes.map(({ path, a, b }) => ({ path, a: side(a), b: side(b) })),
        })),
      });
    } else {
      printLines(io, [
        ...differences.flatMap(({ object, action, changes }) => [
          `${objectName(object)} would be ${action}`,
          ...changes.map(({ path, a, b }) => `  ${path}: ${shown(a)} → ${shown(b)}`),
        ]),
        ...(differences.length === 0 ? ['no difference'] : []),
      ]);
    }
    if (differences.length > 0) exit(ExitCode.denied);
  });
}

/** By a dry run of the server, whose defaults and rules are in its answer. */
async function differenceOf(client: PlanClient, object: PlanObject): Promise<Difference | undefined> {
  const { namespace, name } = object.metadata;
  const stored = await client.find({ kind: kindNamed(object.kind)!, namespace, name });
  if (stored === undefined) {
    await client.create(object, { dryRun: true });
    return { object, action: 'created', changes: [] };
  }
  const { object: wanted } = await client.replace(object, { dryRun: true });
  const { diffJson } = await import('../../kernel/json-diff.js');
  const hasStatus = object.status !== undefined;
  const changes = diffJson(users(stored, hasStatus), users(wanted, hasStatus), { lists: 'elements' });
  return changes.length === 0 ? undefined : { object, action: 'updated', changes };
}

/** Less what the server counts by itself, and the status, which it writes meanwhile, where the file says nothing of it. */
function users({ status, ...object }: PlanObject, hasStatus: boolean): JsonObject {
  const { resourceVersion: _version, generation: _generation, ...metadata } = object.metadata;
  const said = asJson({ ...object, metadata });
  return hasStatus ? { ...said, status: status ?? {} } : said;
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : shortText(JSON.stringify(value), 200);
}
