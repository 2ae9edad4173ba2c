import type { JsonObject } from '../../src/kernel/json';

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let at = seed >>> 0;
  return () => {
    at = (at + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A small cluster with everything that a state can have: nodes that drain or are down, tight room, moves in flight, labels. */
export function randomState(seed: number): { nodes: JsonObject[]; shards: JsonObject[]; moves: JsonObject[] } {
  const random = randomNumbers(seed);
  const upTo = (count: number) => Math.floor(random() * count);
  const chance = (share: number) => random() < share;
  const hasRoomBounds = chance(0.7);
  const nodes: JsonObject[] = Array.from({ length: 2 + upTo(8) }, (_, at) => ({
    id: `n${at}`,
    status: chance(0.85) ? 'ready' : chance(0.5) ? 'draining' : 'down',
    region: `r${upTo(3)}`,
    zone: `z${upTo(4)}`,
    labels: { disk: chance(0.5) ? 'ssd' : 'hdd' },
    cpu_usage: upTo(100),
    ...(chance(0.8) ? { cost_per_hour: upTo(10) } : {}),
  }));
  const shards: JsonObject[] = Array.from({ length: upTo(25) }, (_, at) => {
    const replicas = nodes
      .map(({ id }) => id as string)
      .filter(() => chance(0.3))
      .slice(0, 3);
    return {
      id: `s${at}`,
      replicas,
      qps: upTo(50),
      size_bytes: 1 + upTo(20),
      labels: { tier: chance(0.5) ? 'gold' : 'free' },
    };
  });
  const moves: JsonObject[] = [];
  for (const { id, replicas } of shards) {
    const held = replicas as string[];
    const to = nodes.map((node) => node.id as string).find((node) => !held.includes(node));
    if (to !== undefined && held.length > 0 && chance(0.08)) moves.push({ shard: id!, from: held[0]!, to });
  }
  for (const node of nodes) {
    if (!hasRoomBounds) break;
    const there = shards.filter(({ id, replicas }) => {
      const isComing = moves.some(({ shard, to }) => shard === id && to === node.id);
      return isComing || (replicas as string[]).includes(node.id as string);
    });
    const bytes = there.reduce((total, { size_bytes: size }) => total + (size as number), 0);
    node.capacity = { shards: there.length + upTo(4), ...(chance(0.5) ? { bytes: bytes + upTo(25) } : {}) };
  }
  return { nodes, shards, moves };
}
