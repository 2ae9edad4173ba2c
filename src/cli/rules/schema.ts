import { Command } from 'commander';
import type { CommandContext } from '../io';
import { examples } from '../options';
import { ruleDomain } from './domain';

export function rulesSchemaCommand({ io }: CommandContext): Command {
  const command = new Command('schema')
    .summary('print the JSON Schema of rule policies')
    .description(
      'Prints the JSON Schema of a rule policy, for completion in editors. It is also in the package, as configs/schemas/rule-policy.schema.json.',
    );
  examples(command, ['gate rules schema > rule-policy.schema.json']);
  return command.action(async () => {
    const [{ publishedSchema }, domain] = await Promise.all([
      import('../../rules/document/published-schema.js'),
      ruleDomain(),
    ]);
    io.data.write(`${JSON.stringify(publishedSchema(domain), null, 2)}\n`);
  });
}
