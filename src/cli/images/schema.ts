import { Command } from 'commander';
import type { CommandContext } from '../io';
import { examples } from '../options';

export function imagesSchemaCommand({ io }: CommandContext): Command {
  const command = new Command('schema')
    .summary('print the JSON Schema of image policies')
    .description(
      'Prints the JSON Schema of a file of image policies, for completion in editors. It is also in the package, as configs/schemas/image-policies.schema.json.',
    );
  examples(command, ['gate images schema > image-policies.schema.json']);
  return command.action(async () => {
    const { publishedImageSchema } = await import('../../images/policies/published-schema.js');
    io.data.write(`${JSON.stringify(publishedImageSchema(), null, 2)}\n`);
  });
}
