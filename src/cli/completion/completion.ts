import { Argument, Command } from 'commander';
import type { CommandContext } from '../io';
import { examples } from '../options';
import { toCommandTree, type CommandTree } from './command-tree';
import { toBash } from './to-bash';
import { toFish } from './to-fish';
import { toZsh } from './to-zsh';

const SHELLS = { bash: toBash, zsh: toZsh, fish: toFish } satisfies Record<string, (tree: CommandTree) => string>;

/** @param createProgram gives `gate` with all its commands, of which the script is made */
export function completionCommand({ io }: CommandContext, createProgram: () => Promise<Command>): Command {
  const command = new Command('completion')
    .summary('print the completion script of a shell')
    .description(
      'Prints a script that completes commands, options and their values. It knows the commands of this version: print it again after an upgrade.',
    )
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)));
  examples(command, [
    'gate completion bash > ~/.local/share/bash-completion/completions/gate',
    'gate completion zsh > ~/.zsh/completions/_gate      # a folder of your fpath',
    'gate completion fish > ~/.config/fish/completions/gate.fish',
    'source <(gate completion bash)                      # for this shell alone',
  ]);
  return command.action(async (shell: keyof typeof SHELLS) => {
    io.stdout.write(SHELLS[shell](toCommandTree(await createProgram())));
  });
}
