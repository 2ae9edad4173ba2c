import type { Requirement } from '../actions/parts';
import type { Arrangement } from '../model/arrangement';
import { NodeStatus, type ClusterNode, type Shard } from '../state/cluster-state';
import { firstDifference, fulfils, labelOf } from './locations';
import { requirementText, type PlacementRules } from './rules';

/** A shard that is looking for a node; undefined stands for one of which nothing is known. */
export interface Wanted {
  shard?: Shard;
  /** the node that a replica would leave for it: it does not count as one that the shard keeps */
  leaving?: string;
  /** of the role that the replica would have */
  constraints?: readonly Requirement[];
}

/**
 * Everything that forbids a node, each in one sentence fragment; none when the replica may go there. What decides, what
 * explains and what moves all ask here.
 */
export function barriers(node: ClusterNode, wanted: Wanted, arrangement: Arrangement, rules: PlacementRules): string[] {
  const required = [...rules.required, ...(wanted.constraints ?? [])];
  return [
    ...statusBarriers(node),
    ...presenceBarriers(node, wanted, arrangement),
    ...roomBarriers(node, wanted.shard, arrangement),
    ...required.filter((requirement) => !fulfils(node, requirement)).map((requirement) => missing(node, requirement)),
    ...isolationBarriers(node, wanted, arrangement, rules),
    ...regionBarriers(node, wanted, arrangement, rules),
  ];
}

/** Draining and down nodes are never candidates. */
export function statusBarriers({ status }: ClusterNode): string[] {
  return status === NodeStatus.ready ? [] : [`is ${status}`];
}

/** Room after the placement, moves in flight counted. */
export function roomBarriers(node: ClusterNode, shard: Shard | undefined, arrangement: Arrangement): string[] {
  const { shards, bytes } = node.capacity;
  const found: string[] = [];
  const count = arrangement.countOn(node.id);
  if (shards !== undefined && count + 1 > shards) found.push(`has no room: ${count} of ${shards} replicas`);
  if (bytes === undefined || shard === undefined) return found;
  const used = arrangement.bytesOn(node.id);
  if (shard.size_bytes === undefined)
    found.push(`has room for ${bytes} bytes, and the size of ${shard.id} is not known`);
  else if (used + shard.size_bytes > bytes) {
    found.push(`has no room: ${used} of ${bytes} bytes, and ${shard.id} has ${shard.size_bytes}`);
  }
  return found;
}

function presenceBarriers(node: ClusterNode, { shard }: Wanted, arrangement: Arrangement): string[] {
  if (shard === undefined) return [];
  const place = arrangement.placesOf(shard.id).find((one) => one.node === node.id);
  if (place === undefined) return [];
  return [
    place.phase === 'arriving' ? `a replica of ${shard.id} is on its way to it` : `holds a replica of ${shard.id}`,
  ];
}

function missing(node: ClusterNode, requirement: Requirement): string {
  const found = labelOf(node, requirement.key);
  const has = found === undefined ? `it has no ${requirement.key}` : `its ${requirement.key} is ${found}`;
  return `is not a node with ${requirementText(requirement)}: ${has}`;
}

/** Nodes of the replicas that a shard keeps beside the one that is wanted. */
export function keptNodes({ shard, leaving }: Wanted, arrangement: Arrangement): ClusterNode[] {
  if (shard === undefined) return [];
  const places = arrangement.placesOf(shard.id).filter(({ node, phase }) => phase !== 'leaving' && node !== leaving);
  return places.map(({ node }) => arrangement.node(node));
}

function isolationBarriers(
  node: ClusterNode,
  wanted: Wanted,
  arrangement: Arrangement,
  { isolationLevel, locationLabels }: PlacementRules,
): string[] {
  if (isolationLevel === undefined) return [];
  const labels = locationLabels.slice(0, locationLabels.indexOf(isolationLevel) + 1);
  const lacking = labels.filter((label) => labelOf(node, label) === undefined);
  if (lacking.length > 0) return [`has no ${lacking.join(' and no ')}, by which replicas are isolated`];
  const near = keptNodes(wanted, arrangement).find((other) => firstDifference(node, other, labels) < 0);
  if (near === undefined) return [];
  const at = `${isolationLevel} ${labelOf(node, isolationLevel)}`;
  return [`shares ${at} with ${near.id}, which holds a replica (isolation_level ${isolationLevel})`];
}

function regionBarriers(
  node: ClusterNode,
  wanted: Wanted,
  arrangement: Arrangement,
  { maxPerRegion, minRegions }: PlacementRules,
): string[] {
  if (maxPerRegion === undefined) {
    return minRegions === undefined || node.region !== undefined ? [] : ['has no region, by which replicas are spread'];
  }
  if (node.region === undefined) return ['has no region, by which replicas are spread'];
  const there = keptNodes(wanted, arrangement).filter(({ region }) => region === node.region).length;
  if (there < maxPerRegion) return [];
  return [`its region ${node.region} has ${there} of ${maxPerRegion} replicas (cross_region.max_per_region)`];
}
