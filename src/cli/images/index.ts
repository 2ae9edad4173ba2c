import { Command } from 'commander';
import type { CommandContext } from '../io';
import { imagesEvaluateCommand } from './evaluate';
import { imagesSchemaCommand } from './schema';

export function imagesCommand(context: CommandContext): Command {
  return new Command('images')
    .summary('image policies: which container images are replicated, and where')
    .description('For image policies, in YAML or JSON; see docs/images.md.')
    .addCommand(imagesEvaluateCommand(context))
    .addCommand(imagesSchemaCommand(context));
}
