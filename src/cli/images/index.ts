import { Command } from 'commander';
import type { CommandContext } from '../io';
import { imagesCopyCommand } from './copy';
import { imagesDiffCommand } from './diff';
import { imagesEvaluateCommand } from './evaluate';
import { imagesPoliciesCommand } from './policies';
import { imagesRollbackCommand } from './rollback';
import { imagesSchemaCommand } from './schema';
import { imagesSecretCommand } from './secret';
import { imagesStatusCommand } from './status';
import { imagesSyncCommand } from './sync';

export function imagesCommand(context: CommandContext): Command {
  return new Command('images')
    .summary('container images: policies that replicate them, copies between registries')
    .description('For container images: policies in YAML or JSON, copies between registries; see docs/images.md.')
    .addCommand(imagesEvaluateCommand(context))
    .addCommand(imagesSyncCommand(context))
    .addCommand(imagesStatusCommand(context))
    .addCommand(imagesCopyCommand(context))
    .addCommand(imagesDiffCommand(context))
    .addCommand(imagesPoliciesCommand(context))
    .addCommand(imagesRollbackCommand(context))
    .addCommand(imagesSchemaCommand(context))
    .addCommand(imagesSecretCommand(context));
}
