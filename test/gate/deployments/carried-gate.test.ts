import { describe, expect, it } from '@jest/globals';
import { CARRIED_VERSION, readableCarried } from '../../../src/gate/deployments/carried-gate';
import type { CarriedGate } from '../../../src/gate/deployments/deployment-state';
import { GateError } from '../../../src/kernel/failures';

const carried = { version: CARRIED_VERSION, handled: [] } as unknown as CarriedGate;

describe('readableCarried', () => {
  it('returns what this release or an earlier one carried', () => {
    expect(readableCarried(carried)).toBe(carried);
    expect(readableCarried(undefined)).toBeUndefined();
  });

  it.each([CARRIED_VERSION + 1, undefined, 'two'])('throws a plain error for version %s, naming both', (version) => {
    const read = (): unknown => readableCarried({ ...carried, version } as unknown as CarriedGate);
    expect(read).toThrow(`version ${CARRIED_VERSION} or lower, got ${String(version)}`);
    expect(read).not.toThrow(GateError);
  });
});
