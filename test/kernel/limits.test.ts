import { describe, expect, it } from '@jest/globals';
import { boundedFaults } from '../../src/kernel/bounded-faults';
import { FailureType, type Fault } from '../../src/kernel/failures';
import { fittingTexts, jsonBytes, LIMITS, utf8Bytes } from '../../src/kernel/limits';

describe('sizes', () => {
  it.each(['', 'plain', 'é', '€uro', '🚀🚀', 'half \ud83d', '\ude80 other half', 'a\u0000b'])(
    'the bytes of %j are those of its UTF-8',
    (text) => {
      expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
      expect(jsonBytes([text])).toBe(Buffer.byteLength(JSON.stringify([text])));
    },
  );

  it('undefined has no bytes', () => {
    expect(jsonBytes(undefined)).toBe(0);
  });

  it('texts that fit are kept as they are, and those that do not are counted', () => {
    expect(fittingTexts(['a', 'b'], { count: 2, chars: 5, bytes: 6 })).toEqual(['a', 'b']);
    expect(fittingTexts(['a', 'b', 'c'], { count: 2, chars: 5, bytes: 6 })).toEqual(['a', 'b', 'and 1 more']);
    expect(fittingTexts(['abcdefgh'], { count: 2, chars: 5, bytes: 90 })).toEqual(['abcd…']);
  });
});

describe('the faults that are kept', () => {
  const fault = (message: string, factId = 'fleet'): Fault => ({ type: FailureType.FactInvalid, message, factId });

  it('faults within the limits are given back as they are', () => {
    const faults = [fault('one'), fault('two')];
    expect(boundedFaults(faults)).toEqual(faults);
  });

  it.each([LIMITS.faults.count, LIMITS.faults.count + 1, 8_500])('%d faults leave no more than fit', (count) => {
    const faults = Array.from({ length: count }, (_item, at) => fault(`region ${at} is wrong`));
    const kept = boundedFaults([...faults, fault('is absent', 'other')]);
    expect(kept.length).toBeLessThanOrEqual(LIMITS.faults.count + 1);
    expect(kept.some(({ factId }) => factId === 'other')).toBe(true);
    expect(kept.at(-1)?.message).toContain(`${count + 1 - LIMITS.faults.count} more of ${count + 1} faults`);
  });

  it('a long message is cut', () => {
    const [kept] = boundedFaults([fault('x'.repeat(900_000))]);
    expect(kept?.message).toHaveLength(LIMITS.faults.chars);
  });

  it('faults of long messages stay below their bytes together', () => {
    const kept = boundedFaults(Array.from({ length: 90 }, (_item, at) => fault(`${at} ${'é'.repeat(5_000)}`)));
    expect(jsonBytes(kept)).toBeLessThan(LIMITS.faults.bytes + 1_000);
  });
});
