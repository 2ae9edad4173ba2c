import { describe, expect, it } from '@jest/globals';
import type { AuditReader } from '../../src/audit/audit-reader';
import { findRecords } from '../../src/audit/find-records';
import { aRecord } from './a-record';

const records = ['3f1c9a52-7d0e', '3f1c9a52-8888', 'short'].map((decisionID) => aRecord({ decisionID }));
const reader: AuditReader = {
  get: (id) => Promise.resolve(records.find(({ decisionID }) => decisionID === id)),
  list: () => Promise.resolve([...records].reverse()),
  close: () => Promise.resolve(),
};
const found = async (id: string) => (await findRecords(reader, id)).found.map(({ decisionID }) => decisionID);

describe('finding a record by its id', () => {
  it.each([
    ['a whole id gives that record alone', '3f1c9a52-7d0e', ['3f1c9a52-7d0e']],
    ['a whole id may be shorter than a beginning', 'short', ['short']],
    ['a beginning gives every record that it fits, newest first', '3f1c9a52', ['3f1c9a52-8888', '3f1c9a52-7d0e']],
    ['a beginning of 7 characters gives none', '3f1c9a5', []],
    ['an unknown id gives none', 'ffffffff-0000', []],
  ])('finding a record: %s', async (_title, id, expected) => expect(await found(id)).toEqual(expected));
});
