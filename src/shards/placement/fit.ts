import type { Role } from '../actions/parts';
import type { Arrangement } from '../model/arrangement';
import type { ClusterNode, Shard } from '../state/cluster-state';
import { statusBarriers } from './barriers';
import { firstDifference, fulfils, isolationScore } from './locations';
import { requirementText, type PlacementRules } from './rules';

/** How many replicas of one role there are, and on which nodes. */
export interface RoleFit {
  role: Role['role'];
  count: number;
  nodes: string[];
  constraints: NonNullable<Role['constraints']>;
}

/** How a shard's present replicas fit the rules; TiKV's RegionFit. */
export interface ReplicaFit {
  /** as many as the rules ask for, or fewer */
  roles: RoleFit[];
  /** replicas that count for nothing, with why: their node is not ready or not allowed, or there are enough */
  orphans: { node: string; reason: string }[];
  /** of the replicas that count; 0 without location labels */
  isolationScore: number;
}

/** Replicas that the rules ask for, by role; one where they say nothing. */
export function wantedRoles({ roles = [], minReplicas }: PlacementRules, factor?: number): Role[] {
  const given = roles.reduce((total, { count }) => total + count, 0);
  const wanted = Math.max(factor ?? minReplicas ?? 1, given);
  return wanted > given ? [...roles, { role: 'voter', count: wanted - given }] : [...roles];
}

/** Which replicas of a shard count for which role, moves in flight taken as done. */
export function fitReplicas(
  shard: Shard,
  arrangement: Arrangement,
  rules: PlacementRules,
  roles: readonly Role[],
): ReplicaFit {
  const orphans: ReplicaFit['orphans'] = [];
  const fit: ClusterNode[] = [];
  const places = arrangement.placesOf(shard.id).filter(({ phase }) => phase !== 'leaving');
  const nodes = places.map(({ node }) => arrangement.node(node)).sort((one, other) => (one.id < other.id ? -1 : 1));
  for (const node of nodes) {
    const reason = unfit(node, fit, rules);
    if (reason === undefined) fit.push(node);
    else orphans.push({ node: node.id, reason });
  }
  const slots = roles.map(({ role, count, constraints = [] }): RoleFit => ({ role, count, nodes: [], constraints }));
  for (const node of fit) {
    if (takeSlot(node, slots, arrangement, new Set())) continue;
    orphans.push({ node: node.id, reason: 'no role needs one more replica' });
  }
  const counted = slots.flatMap((slot) => slot.nodes).map((id) => arrangement.node(id));
  return { roles: slots, orphans, isolationScore: isolationScore(counted, rules.locationLabels) };
}

function unfit(node: ClusterNode, others: readonly ClusterNode[], rules: PlacementRules): string | undefined {
  const [status] = statusBarriers(node);
  if (status !== undefined) return status;
  const requirement = rules.required.find((one) => !fulfils(node, one));
  if (requirement !== undefined) return `is not a node with ${requirementText(requirement)}`;
  if (rules.isolationLevel !== undefined) {
    const labels = rules.locationLabels.slice(0, rules.locationLabels.indexOf(rules.isolationLevel) + 1);
    const near = others.find((other) => firstDifference(node, other, labels) < 0);
    if (near !== undefined) return `shares its ${rules.isolationLevel} with ${near.id}`;
  }
  const there = others.filter(({ region }) => region === node.region).length;
  if (rules.maxPerRegion !== undefined && there >= rules.maxPerRegion) {
    return `its region ${node.region} has ${there} of ${rules.maxPerRegion} replicas already`;
  }
  return undefined;
}

/** A slot for the node, others being sent to slots of other roles where that frees one (Kuhn's algorithm). */
function takeSlot(node: ClusterNode, slots: RoleFit[], arrangement: Arrangement, tried: Set<RoleFit>): boolean {
  for (const slot of slots) {
    if (tried.has(slot) || !slot.constraints.every((constraint) => fulfils(node, constraint))) continue;
    tried.add(slot);
    const free = slot.nodes.length < slot.count;
    const moved = free ? -1 : slot.nodes.findIndex((id) => takeSlot(arrangement.node(id), slots, arrangement, tried));
    if (!free && moved < 0) continue;
    if (moved >= 0) slot.nodes.splice(moved, 1);
    slot.nodes.push(node.id);
    return true;
  }
  return false;
}
