/** `3 → 2`, or `3` where nothing changes; `-` stands for what is not known. */
export function formatDifference(before: number | undefined, after: number | undefined): string {
  const [one, other] = [shown(before), shown(after)];
  return one === other ? one : `${one} → ${other}`;
}

function shown(value: number | undefined): string {
  return value === undefined ? '-' : String(Number(value.toFixed(2)));
}
