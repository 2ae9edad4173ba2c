import { visibleText } from '../../kernel/visible-text';
import type { NodePhase } from '../kinds/phases';
import { childrenOf, type PlanGraph } from './plan-graph';

type Phases = ReadonlyMap<string, NodePhase>;

/**
 * A graph as text: one line a node, in an order in which each comes after what it waits for, with its kind, its phase when an
 * execution is given, and what it waits for; `~` marks a soft edge.
 */
export function toText(graph: PlanGraph, phases?: Phases): string {
  const order = inOrder(graph);
  const wide = Math.max(...order.map((id) => id.length));
  const lines = order.map((id) => {
    const { kind, name } = graph.nodes.get(id)!;
    const before = [...graph.before.get(id)!].map(([from, type]) => (type === 'soft' ? `~${from}` : from));
    const children = childrenOf(graph, id);
    return [
      id.padEnd(wide),
      kind.padEnd('External'.length),
      ...(phases === undefined ? [] : [(phases.get(id) ?? 'Pending').padEnd('Succeeded'.length)]),
      ...(before.length === 0 ? [] : [`after ${before.join(', ')}`]),
      ...(children.length === 0 ? [] : [`holds ${children.join(', ')}`]),
      ...(name === undefined ? [] : [`(${visibleText(name)})`]),
    ]
      .join('  ')
      .trimEnd();
  });
  return `${lines.join('\n')}\n`;
}

const SHAPES = { Task: ['[', ']'], Gate: ['{{', '}}'], Group: ['[[', ']]'], External: ['([', '])'] } as const;

/** Colours of Mermaid's classes; `Pending` has none. */
const CLASSES: Readonly<Record<string, string>> = {
  Running: 'fill:#cfe2ff,stroke:#0d6efd',
  Blocked: 'fill:#fff3cd,stroke:#ffc107',
  Succeeded: 'fill:#d1e7dd,stroke:#198754',
  Failed: 'fill:#f8d7da,stroke:#dc3545',
  Skipped: 'fill:#e2e3e5,stroke:#6c757d',
  Cancelled: 'fill:#e2e3e5,stroke:#343a40',
};

/** A graph as a Mermaid flowchart: soft edges are dotted, groups hold their children by a thick line. */
export function toMermaid(graph: PlanGraph, phases?: Phases): string {
  const ids = new Map([...graph.nodes.keys()].map((id, index) => [id, `n${index}`]));
  const lines = ['flowchart TD'];
  for (const { id, kind, name } of graph.nodes.values()) {
    const [open, close] = SHAPES[kind];
    const phase = phases?.get(id);
    const label = [
      name === undefined || name === id ? id : `${id}: ${name}`,
      ...(phase === undefined ? [] : [phase]),
    ].join(' · ');
    lines.push(`  ${ids.get(id)}${open}"${escaped(label)}"${close}`);
  }
  for (const [to, sources] of graph.before) {
    for (const [from, type] of sources)
      lines.push(`  ${ids.get(from)} ${type === 'soft' ? '-.->' : '-->'} ${ids.get(to)}`);
  }
  for (const id of graph.nodes.keys()) {
    for (const child of childrenOf(graph, id)) lines.push(`  ${ids.get(id)} === ${ids.get(child)}`);
  }
  for (const [phase, style] of Object.entries(CLASSES)) {
    const members = [...graph.nodes.keys()].filter((id) => phases?.get(id) === phase);
    if (members.length === 0) continue;
    lines.push(`  classDef ${phase.toLowerCase()} ${style}`);
    lines.push(`  class ${members.map((id) => ids.get(id)).join(',')} ${phase.toLowerCase()}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Mermaid takes entity codes within quotes; what it could read as its own syntax, or as HTML, is written so. */
function escaped(text: string): string {
  return visibleText(text).replace(/[#"<>&`\\;]/g, (character) => `#${character.charCodeAt(0)};`);
}

/** Topological, and as near to the plan's own order as that allows; nodes of a cycle come last. */
function inOrder(graph: PlanGraph): string[] {
  const left = new Map([...graph.before].map(([id, sources]) => [id, sources.size]));
  const order: string[] = [];
  const ready = [...graph.nodes.keys()].filter((id) => left.get(id) === 0);
  for (const id of ready) {
    order.push(id);
    left.delete(id);
    for (const to of graph.after.get(id)!) {
      const rest = left.get(to)! - 1;
      left.set(to, rest);
      if (rest === 0) ready.push(to);
    }
  }
  return [...order, ...left.keys()];
}
