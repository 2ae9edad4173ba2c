import type * as Yaml from 'yaml';
import { isSafeNumber } from '../../../kernel/numbers';
import { TWICE, unsafeNumber } from '../json-text';

interface YamlFault {
  sentence: string;
  /** in the text */
  offset: number;
}

/** A node with the way to it; the ways share their beginnings, so a deep document costs no more than a flat one. */
interface Step {
  node: unknown;
  key?: string | number;
  from?: Step;
}

/** Every duplicate key and every number that would be rounded, in the order of the text; each node is met once. */
export function findYamlFaults({ isMap, isSeq, isScalar }: typeof Yaml, tree: Yaml.Document): YamlFault[] {
  const faults: YamlFault[] = [];
  const left: Step[] = [{ node: tree.contents }];
  for (let step = left.pop(); step !== undefined; step = left.pop()) {
    const { node } = step;
    if (isMap(node)) {
      const keys = new Set<unknown>();
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? key.value : key;
        if (keys.has(name)) faults.push({ sentence: TWICE, offset: offsetOf(key) });
        keys.add(name);
        left.push({ node: value, key: String(name), from: step });
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => left.push({ node: item, key: index, from: step }));
    } else if (isScalar(node) && typeof node.value === 'number' && !isSafeNumber(node.value)) {
      const sentence = unsafeNumber(pathTo(step), node.source ?? String(node.value), node.value);
      faults.push({ sentence, offset: offsetOf(node) });
    }
  }
  return faults.sort((a, b) => a.offset - b.offset);
}

function offsetOf(node: unknown): number {
  return (node as Yaml.Node).range?.[0] ?? 0;
}

function pathTo(step: Step): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Step | undefined = step; at?.key !== undefined; at = at.from) path.unshift(at.key);
  return path;
}
