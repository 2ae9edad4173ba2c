import { describe, expect, it } from '@jest/globals';
import { sha256, sha256OfParts } from '../../src/kernel/digest';

describe('a SHA-256 digest', () => {
  // FIPS 180-4's own example.
  it('a SHA-256 digest is in lower-case hex', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('a SHA-256 digest is of all parts, one after the other', () => {
    expect(sha256OfParts(['a', new Uint8Array([98]), 'c'])).toBe(sha256('abc'));
  });
});
