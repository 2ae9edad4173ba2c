import type { Command } from 'commander';

/**
 * Whether the command line asks for JSON: known even where the option parser refused it. A command whose results have other
 * formats alone, as exports have, prints its failures on stderr only.
 *
 * @param program undefined where the commands could not be made: then every command counts as one with JSON
 */
export function asksForJson(program: Command | undefined, argv: readonly string[]): boolean {
  let command = program;
  let format: string | undefined;
  for (const [at, word] of argv.entries()) {
    if (word === '--') break;
    const { given } = /^(?:-o|--output=)(?<given>.+)$/s.exec(word)?.groups ?? {};
    if (word === '-o' || word === '--output') format = argv[at + 1];
    else if (given !== undefined) format = given;
    else command = command?.commands.find((child) => child.name() === word) ?? command;
  }
  const formats = command?.options.find(({ long }) => long === '--output')?.argChoices;
  return format === 'json' && (formats === undefined || formats.includes('json'));
}
