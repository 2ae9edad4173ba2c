const SIZE = /^([0-9]+(?:\.[0-9]+)?)(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$/;
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Bytes of a size as people write it, `100MB` or `1.5GiB`; a number alone is bytes. Undefined if it is not a size. */
export function parseSize(text: string): number | undefined {
  const [, number, unit = 'B'] = SIZE.exec(text) ?? [];
  if (number === undefined) return undefined;
  const bytes = Math.round(Number(number) * UNITS[unit]!);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes for people, in the units that `parseSize` reads: `512 B`, `1.2 MB`. */
export function formatSize(bytes: number): string {
  const unit = ['TB', 'GB', 'MB', 'kB'].find((one) => bytes >= UNITS[one]!);
  return unit === undefined ? `${bytes} B` : `${(bytes / UNITS[unit]!).toFixed(1)} ${unit}`;
}
