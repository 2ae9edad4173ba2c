import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createObjectParts } from '../../src/audit/stores/dynamodb/parts';
import { createBigFacts } from '../../src/gate/big-facts';
import type { Fact } from '../../src/gate/facts/fact';
import { createPayloadCodec } from '../../src/platform/temporal/encryption/payload-codec';
import { MemoryObjects } from '../fakes/memory-objects';

const facts: Fact[] = [
  {
    id: 'fleet',
    value: { serial: 'SECRET-4711', odd: '\u0000\ud800' },
    observedAtMs: 1,
    collectedAtMs: 2,
    source: 's',
  },
];
const codec = () => createPayloadCodec([{ id: 'k', bytes: randomBytes(32) }]);

describe('facts that are put aside', () => {
  it.each([[undefined], [codec()]])('facts that are put aside come back as they were', async (sealed) => {
    const parts = createObjectParts(new MemoryObjects());
    const ref = await createBigFacts(parts, sealed).put(facts);
    expect(await createBigFacts(parts, sealed).get(ref)).toEqual(facts);
  });

  it('facts that are put aside are sealed where payloads are', async () => {
    const parts = createObjectParts(new MemoryObjects());
    const ref = await createBigFacts(parts, codec()).put(facts);
    expect(Buffer.from((await parts.get(ref))!).toString('latin1')).not.toContain('SECRET');
    await expect(createBigFacts(parts, codec()).get(ref)).rejects.toThrow('does not open');
  });

  it('facts that are gone or were altered are a fault of the facts', async () => {
    const objects = new MemoryObjects();
    const parts = createObjectParts(objects);
    const ref = await createBigFacts(parts, undefined).put(facts);
    await objects.put(`parts/${ref.day}/${ref.sha256}`, Buffer.from('[]'));
    const found = { type: 'FactInvalid', message: expect.stringContaining('altered') };
    await expect(createBigFacts(parts, undefined).get(ref)).rejects.toMatchObject(found);
    await objects.delete(`parts/${ref.day}/${ref.sha256}`);
    const gone = { type: 'FactInvalid', message: expect.stringContaining('no longer in s3://bucket/gate/') };
    await expect(createBigFacts(parts, undefined).get(ref)).rejects.toMatchObject(gone);
  });
});
