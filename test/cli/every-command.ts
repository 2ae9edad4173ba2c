import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program';
import { anIo } from './an-io';

/** Every command that does something, by its words. */
export async function everyCommand(folder: string): Promise<{ words: string[]; command: Command }[]> {
  const leaves = (command: Command, words: string[]): { words: string[]; command: Command }[] =>
    command.commands.length === 0
      ? [{ words, command }]
      : command.commands.flatMap((child) => leaves(child, [...words, child.name()]));
  return leaves(await createProgram({ io: anIo(folder), exit: () => undefined }), []);
}
