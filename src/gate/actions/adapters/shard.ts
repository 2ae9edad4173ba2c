import { isDuration, parseDuration } from '../../../kernel/duration';
import { FailureType, type Fault } from '../../../kernel/failures';
import type { ActionContext, ShardAction } from '../action';
import type { ActionKind } from '../action-kind';
import { renderText } from '../template';

/** Changes where replicas of a shard are. What it does is handed in by the room of shards. */
export const shardAction: ActionKind<ShardAction> = {
  type: 'shard',
  check: (spec, context) => toShardChange(spec, context).faults,
  create: ({ changeShard }) => changeShard,
};

/** A shard and its nodes, with templates filled in. */
export interface ShardChange {
  shard: string;
  from?: string;
  to?: string;
}

/** What each operation names besides its shard. */
const NODES = { add: ['to'], remove: ['from'], move: ['from', 'to'] } as const;
/** As long as an id of a state document may be. */
const ID_CHARS = 255;
const DAY_MS = 86_400_000;

/** @returns every fault; a change where there is none */
export function toShardChange(spec: ShardAction, context: ActionContext): { change?: ShardChange; faults: Fault[] } {
  const { operation, within } = spec;
  const faults: Fault[] = [];
  const say = (key: string, sentence: string): void =>
    void faults.push({
      type: FailureType.ConfigInvalid,
      message: `action.${key}: ${sentence}`,
      where: `action.${key}`,
    });
  const change: ShardChange = { shard: rendered('shard', spec.shard) };
  const wanted: readonly string[] = NODES[operation];
  for (const key of ['from', 'to'] as const) {
    const text = spec[key];
    if (text === undefined) {
      if (wanted.includes(key)) say(key, `expected a node for operation ${operation}, got nothing`);
    } else if (wanted.includes(key)) change[key] = rendered(key, text);
    else say(key, `expected none for operation ${operation}`);
  }
  if (within !== undefined && operation !== 'move') say('within', `expected none for operation ${operation}`);
  else if (within !== undefined && isDuration(within)) {
    const withinMs = parseDuration(within);
    if (withinMs <= 0 || withinMs > DAY_MS)
      say('within', `expected a time longer than 0 and at most 1d, got "${within}"`);
  }
  if (faults.length === 0 && change.from !== undefined && change.from === change.to)
    say('to', 'expected another node than action.from');
  return faults.length > 0 ? { faults } : { faults, change };

  function rendered(key: string, text: string): string {
    const before = faults.length;
    const filled = renderText(text, context, { where: `action.${key}`, faults });
    if (faults.length === before && !isId(filled))
      say(key, `expected an id of 1 to ${ID_CHARS} characters in valid Unicode, neither . nor ..`);
    return filled;
  }
}

/** The dots would be steps in the path of a request. */
function isId(text: string): boolean {
  return text.length >= 1 && text.length <= ID_CHARS && text !== '.' && text !== '..' && !/\p{Cs}/u.test(text);
}
