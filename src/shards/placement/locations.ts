import type { Requirement } from '../actions/parts';
import type { ClusterNode } from '../state/cluster-state';

/** What a node has under a key of a constraint: its region, zone or id, else the label. */
export function labelOf(node: ClusterNode, key: string): string | undefined {
  if (key === 'region' || key === 'zone' || key === 'id') return node[key];
  return Object.hasOwn(node.labels, key) ? node.labels[key] : undefined;
}

/** Whether a node fulfils a constraint, as TiKV defines the four operators. */
export function fulfils(node: ClusterNode, { key, op = 'in', values = [] }: Requirement): boolean {
  const found = labelOf(node, key);
  switch (op) {
    case 'in':
      return found !== undefined && values.includes(found);
    case 'not_in':
      return found === undefined || !values.includes(found);
    case 'exists':
      return found !== undefined;
    case 'not_exists':
      return found === undefined;
    default:
      return op satisfies never;
  }
}

/**
 * Index of the first label in which two nodes differ, from the widest to the narrowest; -1 when they agree in all. As in TiKV a
 * label that one of them lacks is no difference.
 */
export function firstDifference(one: ClusterNode, other: ClusterNode, labels: readonly string[]): number {
  return labels.findIndex((label) => {
    const [mine, theirs] = [labelOf(one, label), labelOf(other, label)];
    return mine !== undefined && theirs !== undefined && mine !== theirs;
  });
}

/** How much the difference in a label counts over one in the next narrower label (TiKV's replicaBaseScore). */
const BASE = 100;

/** The isolation score of one more node beside others, as TiKV counts it: the higher, the further apart. */
export function isolationBeside(node: ClusterNode, others: readonly ClusterNode[], labels: readonly string[]): number {
  return others.reduce((total, other) => {
    const index = firstDifference(node, other, labels);
    return index < 0 ? total : total + BASE ** (labels.length - index - 1);
  }, 0);
}

/** The isolation score of nodes: the sum over their pairs. */
export function isolationScore(nodes: readonly ClusterNode[], labels: readonly string[]): number {
  return nodes.reduce((total, node, index) => total + isolationBeside(node, nodes.slice(0, index), labels), 0);
}

/** The greatest isolation score that so many others allow. */
export function greatestIsolation(others: number, labels: readonly string[]): number {
  return others * BASE ** Math.max(0, labels.length - 1);
}
