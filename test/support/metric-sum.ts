/** The sum of a metric's series that bear these labels, of Prometheus' text format; 0 when there are none. */
export function metricSum(text: string, name: string, labels: Record<string, string> = {}): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const [, series, inBraces = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (series !== name) continue;
    if (Object.entries(labels).every(([label, wanted]) => inBraces.includes(`${label}="${wanted}"`)))
      sum += Number(value);
  }
  return sum;
}
