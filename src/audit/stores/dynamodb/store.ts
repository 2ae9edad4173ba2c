import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { FailureType, GateError } from '../../../kernel/failures';
import { within } from '../../../kernel/timers';
import { ObjectStoreError, type ObjectStore } from '../../../platform/objects/object-store';
import { systemTimers } from '../../../platform/timers/system-timers';
import type { AuditQuery, AuditRecord, AuditStore } from '../../audit-record';
import { fetchBigParts, fetchWhatIsLeft, storeBigParts } from './big-facts';
import { dynamoDbError, isConflict, whatIsWrong } from './error';
import { createObjectParts } from './parts';
import { readRecord, toItem, toRecord, type Item } from './item';
import {
  DAY_INDEX,
  dayPartition,
  daysOf,
  filterExpression,
  isEmptyRange,
  partitionOf,
  rangeExpression,
  sortKeyRange,
  type Expression,
  type Partition,
  type SortKeyRange,
} from './query';

const DEFAULT_LIMIT = 100;
/**
 * Three attempts to record must fit into half a workflow task's time-out (10 s by default), as with PostgreSQL; a longer
 * outage is the pause's business.
 */
const WRITE_WITHIN_MS = 1_500;
/** As many keys as DynamoDB takes in one request. */
const BATCH = 100;
const MOST_DAYS_AT_ONCE = 16;
/** More days than these are worth a look at the whole index first: one page, which is all of a small one. */
const FEW_DAYS = 7;
/** A batch of which DynamoDB gives nothing is asked for again this often, after 50 ms, 100 ms, … */
const EMPTY_BATCHES = 5;
const FIRST_WAIT_MS = 50;

export interface DynamoDbAuditOptions {
  client: DynamoDBClient;
  table: string;
  /** from a record's time to its `expiresAt` */
  retentionMs: number;
  /** where the facts of records go that are too big for an item */
  bigFacts?: ObjectStore;
  /** of one attempt to record, its retries included, and of its big facts; @default 1,500 */
  writeWithinMs?: number;
  /** @default Date.now */
  nowMs?: () => number;
}

/** What is asked of one place, or of several in turn. */
interface Question {
  range: SortKeyRange;
  condition: Expression | undefined;
  filter: Expression | undefined;
  newestFirst: boolean;
  limit: number;
}

/** Of one attempt to record: what the last try ended with, and whether there may be another. */
interface Tries {
  last?: string;
  over: boolean;
}

/** Items in the order of the question; those of an index lack what it does not hold. */
interface Found {
  items: Item[];
  whole: boolean;
}

/**
 * The store of record in DynamoDB; closing it closes the client. An item is put on condition that there is none under its
 * key, which comes from the record's own time and id: of two writers of one record the first wins, and both get its record.
 * So a put whose answer was lost is simply repeated.
 *
 * `list` asks the narrowest place: the table for a stage, an index for a deployment, else day after day. Where the indexes
 * answer (which follow the table within moments on AWS) the items themselves are read consistently. `get` knows no more than
 * an id, by which nothing is sorted: it goes through the days, newest first, and for an id that was never written through them
 * all. What the indexes hold is small, about 3,000 records a request; whoever knows the deployment asks `list`.
 */
export function createDynamoDbAuditStore(options: DynamoDbAuditOptions): AuditStore {
  const { client, table, retentionMs, bigFacts, writeWithinMs = WRITE_WITHIN_MS, nowMs = Date.now } = options;
  const where = `DynamoDB table ${table}`;
  const reading = 'read the audit log';

  async function attempt<T>(type: FailureType, doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof ObjectStoreError) {
        throw new GateError(type, `Cannot ${doing}: ${error.message}`, undefined, { cause: error });
      }
      throw dynamoDbError(type, where, doing, error);
    }
  }

  async function record(given: AuditRecord): Promise<AuditRecord> {
    const cannot = `Cannot record ${given.kind} ${given.decisionID}`;
    const item = await inTimeBeside(cannot, () => storeBigParts(toItem(given, retentionMs), bigFacts));
    const tries: Tries = { over: false };
    const existing = await within(systemTimers, writeWithinMs, put(item, tries), () => {
      tries.over = true;
      const last = tries.last === undefined ? '' : `; of the last try: it ${tries.last}`;
      return new GateError(
        FailureType.AuditWriteFailed,
        `${cannot}: ${where} gave no good answer within ${writeWithinMs} ms, retries included${last}; should it have taken the record, the next attempt adopts it`,
      );
    });
    if (existing === undefined) return given;
    const [whole = existing] = await inTimeBeside(cannot, () => fetchBigParts([existing], bigFacts));
    return toRecord(whole);
  }

  /** Big facts have as long as the item. What was given up continues by itself, and the next attempt finds what it has put. */
  function inTimeBeside<T>(cannot: string, run: () => Promise<T>): Promise<T> {
    if (bigFacts === undefined) return run();
    const late = `${cannot}: ${bigFacts.url} gave no answer within ${writeWithinMs} ms`;
    return within(systemTimers, writeWithinMs, run(), () => new GateError(FailureType.AuditWriteFailed, late));
  }

  /** The item that was under the key already; undefined when this one was put. */
  async function put(item: Item, tries: Tries): Promise<Item | undefined> {
    // An abort signal would cost every record a tenth of its time; so a try under way at the end ends by itself, soon after.
    const options = { requestTimeout: 2 * writeWithinMs };
    const condition = { ConditionExpression: 'attribute_not_exists(pk)' };
    const command = new PutItemCommand({ TableName: table, Item: item, ...condition });
    // Within the SDK's retries, so that it sees every try fail, whatever becomes of the next.
    command.middlewareStack.add(
      (next) => async (request) => {
        if (tries.over) throw new Error('the time for this record is over');
        try {
          return await next(request);
        } catch (error) {
          tries.last = whatIsWrong(error);
          throw error;
        }
      },
      { step: 'finalizeRequest', priority: 'low', name: 'seeTriesFail' },
    );
    try {
      await client.send(command, options);
      return undefined;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
    const Key = { pk: item.pk!, sk: item.sk! };
    const question = new GetItemCommand({ TableName: table, Key, ConsistentRead: true });
    const { Item: found } = await client.send(question, options);
    if (found !== undefined) return found;
    throw new GateError(
      FailureType.AuditWriteFailed,
      `Cannot record ${item.kind?.S} ${item.decisionID?.S}: ${where} said that its key is taken, but shows no record`,
    );
  }

  async function* answers(query: AuditQuery & { decisionID?: string }): AsyncGenerator<Found, void, undefined> {
    const range = sortKeyRange(query);
    if (isEmptyRange(range)) return;
    const question: Question = {
      range,
      condition: rangeExpression(range),
      filter: filterExpression(query),
      newestFirst: query.newestFirst ?? true,
      limit: query.limit ?? DEFAULT_LIMIT,
    };
    const partition = partitionOf(query);
    if (partition === undefined) yield* answersByDay(question, daysOf(query, range, retentionMs, nowMs()));
    else yield* answersIn(partition, question);
  }

  async function* answersByDay(question: Question, days: readonly string[]): AsyncGenerator<Found, void, undefined> {
    let looked = false;
    for (let at = 0, count = 1; at < days.length; at += count, count = Math.min(count * 2, MOST_DAYS_AT_ONCE)) {
      if (!looked && at >= FEW_DAYS) {
        looked = true;
        const rest = await answersOfSmallIndex(question, days.slice(at));
        if (rest !== undefined) {
          yield { items: rest, whole: false };
          return;
        }
      }
      // Side by side each day is read as far as it could be wanted at most, and beyond that only when its turn has come:
      // of what an index shows TTL may have taken some, and the rest of that day comes before the next.
      const asked = days.slice(at, at + count).map(async (day) => {
        const pages = answersIn(dayPartition(day), question);
        const items: Item[] = [];
        for (let page = await pages.next(); !page.done; page = await pages.next()) {
          items.push(...page.value.items);
          if (items.length >= question.limit) break;
        }
        return { items, pages };
      });
      for (const { items, pages } of await Promise.all(asked)) {
        yield { items, whole: false };
        yield* pages;
      }
    }
  }

  /** All that the days' index holds of the question on `days` and beyond, when one page shows all of it. */
  async function answersOfSmallIndex(question: Question, days: readonly string[]): Promise<Item[] | undefined> {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({
        TableName: table,
        IndexName: DAY_INDEX,
        ...expressions({ FilterExpression: [question.condition, question.filter] }),
      }),
    );
    if (LastEvaluatedKey !== undefined) return undefined;
    const first = days[0] ?? '';
    const { newestFirst } = question;
    return Items.filter(({ day, sk }) => {
      const ahead = newestFirst ? (day?.S ?? '') <= first : (day?.S ?? '') >= first;
      return ahead && sk?.S !== question.range.except;
    }).sort((one, other) => Buffer.compare(keyBytes(one), keyBytes(other)) * (newestFirst ? -1 : 1));
  }

  async function* answersIn(partition: Partition, question: Question): AsyncGenerator<Found, void, undefined> {
    const { range, condition, filter, newestFirst, limit } = question;
    const isPlace = { text: '#place = :place', names: { '#place': partition.attribute }, values: placeOf(partition) };
    let from: Item | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          IndexName: partition.index,
          ScanIndexForward: !newestFirst,
          ExclusiveStartKey: from,
          ConsistentRead: partition.index === undefined,
          // One more than is wanted, for the record that the page continues after; a filter takes away more than can be foreseen.
          Limit: filter === undefined ? limit + 1 : undefined,
          ...expressions({ KeyConditionExpression: [isPlace, condition], FilterExpression: [filter] }),
        }),
      );
      const items = (page.Items ?? []).filter(({ sk }) => sk?.S !== range.except);
      if (items.length > 0) yield { items, whole: partition.index === undefined };
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
  }

  /** The items of the keys, in their order, without those that TTL has taken since. */
  async function getItems(keys: readonly Item[]): Promise<Item[]> {
    const found = new Map<string, Item>();
    let left = keys.map(({ pk, sk }) => ({ pk: pk!, sk: sk! }));
    for (let empty = 0; left.length > 0;) {
      const asked = { [table]: { Keys: left, ConsistentRead: true } };
      const answer = await client.send(new BatchGetItemCommand({ RequestItems: asked }));
      const items = answer.Responses?.[table] ?? [];
      for (const item of items) found.set(nameOfKey(item), item);
      left = (answer.UnprocessedKeys?.[table]?.Keys ?? []) as typeof left;
      if (left.length === 0 || items.length > 0) continue;
      if (empty === EMPTY_BATCHES) {
        throw new GateError(
          FailureType.AuditUnavailable,
          `Cannot ${reading}: ${where} throttles: asked ${empty + 1} times for ${left.length} items, it gave none`,
        );
      }
      await sleep(FIRST_WAIT_MS * 2 ** empty);
      empty += 1;
    }
    return keys.map((key) => found.get(nameOfKey(key))).filter((item) => item !== undefined);
  }

  async function list(query: AuditQuery & { decisionID?: string }): Promise<AuditRecord[]> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const records: AuditRecord[] = [];
    for await (const { items, whole } of answers(query)) {
      for (let at = 0; at < items.length;) {
        const next = items.slice(at, at + Math.min(BATCH, limit - records.length));
        if (next.length === 0) return records;
        at += next.length;
        const found = await fetchWhatIsLeft(whole ? next : await getItems(next), bigFacts);
        records.push(...found.map(({ item, lost }) => readRecord(item, lost)));
      }
      if (records.length >= limit) break;
    }
    return records;
  }

  return {
    name: 'dynamodb',
    ...(bigFacts === undefined ? {} : { parts: createObjectParts(bigFacts, nowMs) }),
    record: (given) =>
      attempt(FailureType.AuditWriteFailed, `record ${given.kind} ${given.decisionID}`, () => record(given)),
    get: (decisionID) =>
      attempt(FailureType.AuditUnavailable, reading, async () => (await list({ decisionID, limit: 1 }))[0]),
    list: (query) => attempt(FailureType.AuditUnavailable, reading, () => list(query)),
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

type Clause = 'KeyConditionExpression' | 'FilterExpression';

/** Clauses put together, with all that they name; absent parts are left out. */
function expressions(clauses: { [clause in Clause]?: (Expression | undefined)[] }) {
  const all = Object.values(clauses)
    .flat()
    .filter((part) => part !== undefined);
  const texts = Object.entries(clauses).map(([clause, parts]) => {
    const said = parts.filter((part) => part !== undefined).map(({ text }) => text);
    return [clause, said.length === 0 ? undefined : said.join(' AND ')];
  });
  const names = Object.assign({}, ...all.map((part) => part.names)) as Expression['names'];
  const values = Object.assign({}, ...all.map((part) => part.values)) as Expression['values'];
  return {
    ...(Object.fromEntries(texts) as { [clause in Clause]?: string }),
    ExpressionAttributeNames: Object.keys(names).length === 0 ? undefined : names,
    ExpressionAttributeValues: Object.keys(values).length === 0 ? undefined : values,
  };
}

function placeOf({ value }: Partition): Expression['values'] {
  return { ':place': { S: value } };
}

function keyBytes({ sk }: Item): Buffer {
  return Buffer.from(sk?.S ?? '');
}

function nameOfKey({ pk, sk }: Item): string {
  return `${pk?.S}\n${sk?.S}`;
}
