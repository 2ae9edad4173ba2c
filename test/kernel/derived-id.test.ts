import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { derivedId } from '../../src/kernel/derived-id';
import { sha256 } from '../../src/kernel/digest';
import { pureSha256 } from '../../src/kernel/sha256';

describe('derivedId', () => {
  it('derivedId gives the same parts the same id, in the form of a UUID', () => {
    const id = derivedId('recheck', 'run-1', 'canary', 1, 0);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(derivedId('recheck', 'run-1', 'canary', 1, 0)).toBe(id);
  });

  it('derivedId tells apart parts that read alike when they are joined', () => {
    const ids = [
      derivedId('a', 'b', 1, 0),
      derivedId('ab', 1, 0),
      derivedId('a', 'b', 10),
      derivedId('a', 'b', '1', 0),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('pureSha256', () => {
  it('pureSha256 gives what node:crypto gives, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => pureSha256(text) === sha256(text)),
    );
    for (const length of [0, 55, 56, 63, 64, 65, 119, 120])
      expect(pureSha256('a'.repeat(length))).toBe(sha256('a'.repeat(length)));
  });
});
