import type { ReplayItem } from './replay';

/** Whole lines of an export, without the last one's end. */
export interface TextPiece {
  /** number of its first line, from 1 */
  firstLine: number;
  lines: number;
  text: string;
}

export function itemsOf({ firstLine, text }: Pick<TextPiece, 'firstLine' | 'text'>): ReplayItem[] {
  return text.split('\n').map((line, index) => ({ line: firstLine + index, text: line }));
}
