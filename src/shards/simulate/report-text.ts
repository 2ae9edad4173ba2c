import { formatDifference } from './format-difference';
import type { SimulationReport } from './simulate';
import type { TermTotal } from './term-totals';

/** Rows of a report: a head and the figures of each run, side by side. */
export function reportRows(reports: readonly SimulationReport[]): string[][] {
  const regions = [...new Set(reports.flatMap(({ before }) => Object.keys(before.replicas_per_region)))].sort();
  const row = (name: string, value: (report: SimulationReport) => string) => [name, ...reports.map(value)];
  const change = (name: string, value: (impact: SimulationReport['before']) => number | undefined) =>
    row(name, ({ before, after }) => formatDifference(value(before), value(after)));
  const terms = [...new Set(reports.flatMap((report) => report.terms.map(termName)))];
  return [
    row('', ({ name }) => name),
    row('moves', ({ moves }) => String(moves)),
    row('replicas added, removed', ({ additions, removals }) => `${additions}, ${removals}`),
    row('refusals', ({ refusals }) => String(refusals.length)),
    change('replicas on a node, greatest', ({ load }) => load.shards.max),
    change('replicas on a node, mean', ({ load }) => load.shards.mean),
    change('replicas on a node, variance', ({ load }) => load.shards.variance),
    change('qps of a node, greatest', ({ load }) => load.qps.max),
    change('qps of a node, mean', ({ load }) => load.qps.mean),
    change('qps of a node, variance', ({ load }) => load.qps.variance),
    change('utilization, percent', ({ utilization }) => utilization),
    change('cost per hour', ({ cost }) => cost),
    ...regions.map((region) => change(`replicas in ${region}`, (impact) => impact.replicas_per_region[region] ?? 0)),
    ...terms.map((name) =>
      row(name, (report) => {
        const total = report.terms.find((one) => termName(one) === name);
        return formatDifference(total?.before, total?.after);
      }),
    ),
  ];
}

function termName({ action, term, weight }: TermTotal): string {
  return `${action}: ${term}, weight ${weight}`;
}

/** For each run the predicted qps and usages of its nodes. */
export function nodeRows({ before, after }: SimulationReport): string[][] {
  const then = new Map(before.nodes.map((node) => [node.node, node]));
  const measures = ['shards', 'qps', 'cpu_usage', 'memory_usage', 'disk_usage'] as const;
  const shown = measures.filter((measure) => after.nodes.some((node) => node[measure] !== undefined));
  return [
    ['node', 'status', ...shown],
    ...after.nodes.map((node) => [
      node.node,
      node.status,
      ...shown.map((measure) => formatDifference(then.get(node.node)?.[measure], node[measure])),
    ]),
  ];
}

/** The whole report as Markdown: a table of all runs, then the nodes, steps and refusals of each. */
export function reportMarkdown(reports: readonly SimulationReport[]): string[] {
  const lines = table(reportRows(reports));
  for (const report of reports) {
    lines.push('', `## ${report.name}`, '', ...table(nodeRows(report)));
    if (report.steps.length > 0) lines.push('', ...report.steps.map(({ sentence }) => `- ${escaped(sentence)}`));
    if (report.refusals.length > 0) {
      lines.push('', 'Refused:', '', ...report.refusals.map((sentence) => `- ${escaped(sentence)}`));
    }
  }
  return lines;
}

function table([head, ...rows]: string[][]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head!), `|${head!.map(() => '---').join('|')}|`, ...rows.map(line)];
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
