import { describe, expect, it } from '@jest/globals';
import { CARRIED_VERSION, type CarriedGate } from '../../../src/gate/deployments/deployment-state';
import { GateError } from '../../../src/kernel/failures';
import { readableCarried } from '../../../src/workflows/parts/readable-carried';

const carried = { version: CARRIED_VERSION, handled: [] } as unknown as CarriedGate;

describe('readableCarried', () => {
  it('readableCarried returns what this release or an earlier one carried', () => {
    expect(readableCarried(carried, CARRIED_VERSION)).toBe(carried);
    expect(readableCarried<CarriedGate>(undefined, CARRIED_VERSION)).toBeUndefined();
  });

  it.each([CARRIED_VERSION + 1, undefined, 'two'])(
    'readableCarried throws a plain error for version %s, naming both',
    (version) => {
      const read = (): unknown => readableCarried({ ...carried, version } as unknown as CarriedGate, CARRIED_VERSION);
      expect(read).toThrow(`version ${CARRIED_VERSION} or lower, got ${String(version)}`);
      expect(read).not.toThrow(GateError);
    },
  );
});
