import { openBigFacts, openDynamoDbClient } from '../../audit/stores/open-audit-store';
import { inspectTable, TTL_ATTRIBUTE, type TtlState } from '../../audit/stores/dynamodb/table';
import type { LoadedSettings } from '../../settings/load-settings';
import { attempt, missing, type Finding } from './finding';

type StoreSettings = LoadedSettings['settings']['audit']['store'];

/** The table as it is, and the place of facts that are too big for it. */
export async function dynamoDbFindings(store: StoreSettings): Promise<Finding[]> {
  return [await table(store), await bigFacts(store)];
}

async function table(store: StoreSettings): Promise<Finding> {
  const what = 'audit store';
  const asked = await attempt(async () => {
    const client = await openDynamoDbClient(store);
    try {
      const where = `DynamoDB table ${store.table} in ${await client.config.region()}`;
      return { where, state: await inspectTable(client, store.table) };
    } finally {
      client.destroy();
    }
  });
  if ('error' in asked) return missing(what, asked.error, 'Correct audit.store, or the credentials of the AWS SDK');
  const { where, state } = asked.value;
  if (state === undefined) return missing(what, `${where} does not exist`, 'gate audit setup creates it');
  if (state.differences.length > 0) {
    return missing(what, `${where}: ${state.differences.join('; ')}`, 'Name another in audit.store.table');
  }
  if (state.ttl === 'enabled') return { state: 'ok', what, found: `${where}, TTL on ${TTL_ATTRIBUTE}` };
  const { found, advice } = WITHOUT_TTL[state.ttl];
  return { state: 'note', what, found: `${where}, ${found}`, advice };
}

const WITHOUT_TTL: Readonly<Record<Exclude<TtlState, 'enabled'>, { found: string; advice: string }>> = {
  disabled: {
    found: 'TTL is off',
    advice: 'Records are kept for ever: gate audit setup switches it on where the server has it',
  },
  changing: {
    found: 'TTL is being switched off',
    advice: 'Records are kept for ever: run gate audit setup when that is done',
  },
  other: {
    found: 'TTL goes by another attribute',
    advice: `Records do not end when they should: have TTL go by ${TTL_ATTRIBUTE}`,
  },
  unsupported: {
    found: 'a server without TTL',
    advice: 'Records are kept until someone deletes them; DynamoDB itself has TTL',
  },
};

/** Asks for an object that does not exist: a reader with access is told so, and nothing is changed. */
async function bigFacts({ bigFacts: place }: StoreSettings): Promise<Finding> {
  const what = 'big facts';
  if (place === undefined) {
    return {
      state: 'note',
      what,
      found: 'no place is configured',
      advice: 'A record near 400 KB is refused, and its deployment pauses: set audit.store.bigFacts to a bucket of S3',
    };
  }
  try {
    const { url, get } = await openBigFacts(place);
    await get('gate-doctor');
    return { state: 'ok', what, found: url };
  } catch (error) {
    const { message, cause } = error as Error;
    if ((cause as Error | undefined)?.name !== 'AccessDenied') {
      return missing(what, message, 'Correct audit.store.bigFacts, or the credentials of the AWS SDK');
    }
    const advice = 'S3 also denies access to an absent object when the caller may not list the bucket';
    return { state: 'note', what, found: message, advice };
  }
}
