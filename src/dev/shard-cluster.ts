import { BoundedMap } from '../kernel/bounded-map';
import { canonicalJson } from '../kernel/canonical-json';
import type { JsonObject } from '../kernel/json';

/** An answer of the stand-in, as HTTP gives it. */
export interface Answer {
  status: number;
  body: JsonObject;
}

/** What comes with a call that changes something. */
export interface Change {
  /** the request's idempotency key */
  key: string;
  /** method, path and body, by which a key that is used for another request is noticed */
  request: string;
  /** the version that the state must have */
  ifMatch?: string | undefined;
}

interface NodeEntry extends JsonObject {
  id: string;
}
interface ShardEntry extends JsonObject {
  id: string;
  replicas: string[];
}
interface Move extends JsonObject {
  id: string;
  shard: string;
  from: string;
  to: string;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  started_at: string;
  deadline_at: string;
}

/** A cluster as a state document has it. */
export interface ClusterDocument {
  nodes: JsonObject[];
  shards?: JsonObject[];
  cluster?: JsonObject;
}

export interface ShardClusterOptions {
  /** the time by which moves end; @default Date.now */
  nowMs?(): number;
  /** how long a move takes; @default 300 */
  moveMs?: number;
}

const REMEMBERED_KEYS = 10_000;
const DEFAULT_DEADLINE_S = 600;

/**
 * The cluster behind the shard-manager stand-in: what it holds, and what each call makes of it. A call under a key that was
 * answered before changes nothing and gets the same answer, a refusal too.
 */
export class ShardCluster {
  private readonly nodes = new Map<string, NodeEntry>();
  private readonly shards = new Map<string, ShardEntry>();
  private readonly moves = new Map<string, Move>();
  private readonly answers = new BoundedMap<string, { request: string; answer: Answer }>(REMEMBERED_KEYS);
  private readonly cluster: JsonObject;
  private revision = 1;
  /** how long a move takes from now on */
  moveMs: number;
  /** moves that begin from now on fail when their time is over, with this reason */
  failMoves: string | undefined;

  constructor(
    document: ClusterDocument,
    private readonly options: ShardClusterOptions = {},
  ) {
    this.moveMs = options.moveMs ?? 300;
    this.cluster = document.cluster ?? {};
    for (const node of document.nodes) this.nodes.set(String(node.id), node as NodeEntry);
    for (const shard of document.shards ?? []) {
      this.shards.set(String(shard.id), { replicas: [], ...shard } as unknown as ShardEntry);
    }
  }

  get version(): string {
    return `v${this.revision}`;
  }

  /** The state document as it is now. */
  state(): JsonObject {
    this.settle();
    const running = [...this.moves.values()].filter(({ state }) => state === 'running');
    return structuredClone({
      observed_at: new Date(this.now()).toISOString(),
      version: this.version,
      nodes: [...this.nodes.values()],
      shards: [...this.shards.values()],
      moves: running.map(({ shard, from, to }) => ({ shard, from, to })),
      cluster: this.cluster,
    });
  }

  /** Changes fields of a node, as an outage or an operator would. */
  changeNode(id: string, fields: JsonObject): Answer {
    const node = this.nodes.get(id);
    if (node === undefined) return refusal(404, 'unknown_node', `there is no node ${id}`);
    this.nodes.set(id, { ...node, ...fields, id });
    this.revision += 1;
    return { status: 200, body: { version: this.version } };
  }

  place(shardId: string, nodeId: string, change: Change): Answer {
    return this.once(change, () => {
      const shard = this.shards.get(shardId);
      if (shard?.replicas.includes(nodeId)) return this.changed(200, shardId, nodeId, false);
      const refused = this.unfit(shard, shardId, nodeId);
      if (refused) return refused;
      shard!.replicas.push(nodeId);
      this.revision += 1;
      return this.changed(201, shardId, nodeId, true);
    });
  }

  remove(shardId: string, nodeId: string, force: boolean, change: Change): Answer {
    return this.once(change, () => {
      const shard = this.shards.get(shardId);
      if (shard === undefined) return refusal(404, 'unknown_shard', `there is no shard ${shardId}`);
      if (!shard.replicas.includes(nodeId)) return this.changed(200, shardId, nodeId, false);
      if (shard.replicas.length === 1 && !force) {
        return refusal(409, 'last_replica', `${nodeId} holds the last replica of ${shardId}; force=true removes it`);
      }
      shard.replicas = shard.replicas.filter((other) => other !== nodeId);
      this.revision += 1;
      return this.changed(200, shardId, nodeId, true);
    });
  }

  startMove(shardId: string, body: JsonObject, change: Change): Answer {
    return this.once(change, () => {
      const { from, to, deadline_seconds: seconds = DEFAULT_DEADLINE_S } = body;
      if (typeof from !== 'string' || typeof to !== 'string' || typeof seconds !== 'number' || !(seconds > 0)) {
        return refusal(400, 'bad_request', 'expected {"from": NODE, "to": NODE, "deadline_seconds": 600}');
      }
      const shard = this.shards.get(shardId);
      if (shard !== undefined && !shard.replicas.includes(from)) {
        return refusal(409, 'not_there', `${from} holds no replica of ${shardId}`);
      }
      if (shard?.replicas.includes(to)) return refusal(409, 'is_there', `${to} holds a replica of ${shardId} already`);
      const refused = this.unfit(shard, shardId, to);
      if (refused) return refused;
      const startedAtMs = this.now();
      const move: Move = {
        id: `op-${this.moves.size + 1}`,
        shard: shardId,
        from,
        to,
        state: 'running',
        started_at: new Date(startedAtMs).toISOString(),
        deadline_at: new Date(startedAtMs + seconds * 1000).toISOString(),
        ...(this.failMoves === undefined ? {} : { fails: this.failMoves }),
        ends_at_ms: startedAtMs + this.moveMs,
      };
      this.moves.set(move.id, move);
      this.revision += 1;
      return { status: 202, body: shown(move) };
    });
  }

  operation(id: string): Answer {
    this.settle();
    const move = this.moves.get(id);
    if (move === undefined) return refusal(404, 'unknown_operation', `there is no operation ${id}`);
    return { status: 200, body: shown(move) };
  }

  /** Ends a move that is under way; one that is over stays as it was. */
  cancel(id: string): Answer {
    this.settle();
    const move = this.moves.get(id);
    if (move?.state === 'running') this.end(move, 'cancelled');
    return this.operation(id);
  }

  private once({ key, request, ifMatch }: Change, act: () => Answer): Answer {
    this.settle();
    const earlier = this.answers.get(key);
    if (earlier !== undefined) {
      if (earlier.request === request) return structuredClone(earlier.answer);
      return refusal(422, 'key_reused', 'this Idempotency-Key came with another request before');
    }
    const answer =
      ifMatch !== undefined && ifMatch !== this.version
        ? refusal(412, 'state_changed', `expected the state ${ifMatch}, but it is ${this.version}`)
        : act();
    this.answers.set(key, { request, answer: structuredClone(answer) });
    return answer;
  }

  /** Why the shard cannot have a replica on the node; moves under way hold their place already. */
  private unfit(shard: ShardEntry | undefined, shardId: string, nodeId: string): Answer | undefined {
    if (shard === undefined) return refusal(404, 'unknown_shard', `there is no shard ${shardId}`);
    const node = this.nodes.get(nodeId);
    if (node === undefined) return refusal(404, 'unknown_node', `there is no node ${nodeId}`);
    const { status = 'ready', capacity } = node;
    if (status !== 'ready') return refusal(409, 'not_ready', `${nodeId} is ${canonicalJson(status)}`);
    const room = (capacity as JsonObject | undefined)?.shards;
    const moving = [...this.moves.values()].filter(({ state, to }) => state === 'running' && to === nodeId);
    const held = [...this.shards.values()].filter(({ replicas }) => replicas.includes(nodeId)).length + moving.length;
    if (typeof room === 'number' && held >= room) {
      return refusal(409, 'no_room', `${nodeId} holds ${held} shards of ${room}`);
    }
    if (moving.some((move) => move.shard === shardId)) {
      return refusal(409, 'is_moving', `a replica of ${shardId} is on its way to ${nodeId}`);
    }
    return undefined;
  }

  /** Ends the moves whose time has come. */
  private settle(): void {
    const nowMs = this.now();
    for (const move of this.moves.values()) {
      if (move.state !== 'running') continue;
      const endsAtMs = Number(move.ends_at_ms);
      const deadlineMs = Date.parse(move.deadline_at);
      if (deadlineMs <= nowMs && deadlineMs < endsAtMs) this.end(move, 'failed', 'the deadline has passed');
      else if (endsAtMs <= nowMs && move.fails !== undefined) this.end(move, 'failed', String(move.fails));
      else if (endsAtMs <= nowMs) {
        const shard = this.shards.get(move.shard)!;
        shard.replicas = shard.replicas.map((node) => (node === move.from ? move.to : node));
        this.end(move, 'done');
      }
    }
  }

  private end(move: Move, state: Move['state'], error?: string): void {
    move.state = state;
    if (error !== undefined) move.error = error;
    this.revision += 1;
  }

  private changed(status: number, shard: string, node: string, changed: boolean): Answer {
    return { status, body: { shard, node, changed, version: this.version } };
  }

  private now(): number {
    return this.options.nowMs?.() ?? Date.now();
  }
}

function shown({ ends_at_ms: _endsAtMs, fails: _fails, ...move }: Move): JsonObject {
  return { ...move };
}

/** An answer that says why nothing was done. */
export function refusal(status: number, code: string, message: string): Answer {
  return { status, body: { code, message } };
}
