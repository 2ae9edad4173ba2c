import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { parseSettings } from '../../../src/settings/load-settings';
import { openShards } from '../../../src/shards/service/open-shards';

const open = (document: JsonObject) => {
  const settings = parseSettings(document, { file: 'settings.json' }, '/');
  return openShards({ settings, baseDir: '/' }, { env: {}, labels: {} });
};

describe('rules for shards with an audit log in DynamoDB', () => {
  const audit = { store: { type: 'dynamodb', table: 'records' } };
  const shards = { manager: { url: 'http://127.0.0.1:7071' } };

  it('are refused at the start without a folder of policies, since DynamoDB stores none', () => {
    expect(() => open({ audit, shards })).toThrow(
      'Expected rules.policies to be a folder of policies for shards, since audit.store.type dynamodb stores none',
    );
  });

  it.each<[string, JsonObject]>([
    ['a folder of policies', { audit, shards, rules: { policies: './rules' } }],
    ['no shards', { audit }],
    ['PostgreSQL', { shards }],
  ])('are no fault with %s', async (_what, document) => {
    await open(document).close();
  });
});
