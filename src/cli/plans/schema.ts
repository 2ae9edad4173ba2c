import { Command } from 'commander';
import type { CommandContext } from '../io';
import { examples } from '../options';

export function plansSchemaCommand({ io }: CommandContext): Command {
  const command = new Command('schema')
    .summary("print the JSON Schema of PlanSpec's objects")
    .description('Prints the JSON Schema of a document that holds an object of any kind, for completion in editors.');
  examples(command, ['gate plans schema > planspec.schema.json']);
  return command.action(async () => {
    const { publishedDocumentSchema } = await import('../../plans/kinds/kinds.js');
    io.data.write(`${JSON.stringify(publishedDocumentSchema(), null, 2)}\n`);
  });
}
