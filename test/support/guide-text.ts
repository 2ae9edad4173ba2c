import { expect } from '@jest/globals';

/** A shell block of a guide with the output that is printed after it, if any. */
export interface Step {
  commands: string[];
  output: string[];
}

export const stepsOf = (text: string): Step[] =>
  [...text.matchAll(/```sh\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```\n)?/g)].map(
    ([, commands = '', output = '']) => ({ commands: linesOf(commands), output: linesOf(output) }),
  );

/** Each line of a guide is found in what was printed, after the one before it; `…` stands for anything. */
export function expectInOrder(printed: string, wanted: readonly string[]): void {
  const found = printed.split('\n').map(plain);
  let at = 0;
  for (const line of wanted) {
    const pattern = new RegExp(plain(line).split('…').map(escaped).join('.*'));
    const next = found.findIndex((text, index) => index >= at && pattern.test(text));
    expect({ line, found: next >= 0, printed: next >= 0 ? '' : printed }).toEqual({ line, found: true, printed: '' });
    at = next + 1;
  }
}

/** Tables are as wide as what is in them. */
function plain(line: string): string {
  return line.replace(/\s+/g, ' ').trim();
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function linesOf(block: string): string[] {
  return block.split('\n').filter((line) => line.trim() !== '');
}
