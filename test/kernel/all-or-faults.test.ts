import { describe, expect, it } from '@jest/globals';
import { allOrFaults, allReadOrFaults } from '../../src/kernel/all-or-faults';
import { FailureType, faultsToError, GateError } from '../../src/kernel/failures';

const invalid = (message: string): GateError => new GateError(FailureType.ConfigInvalid, message);
const fail = (error: Error): never => {
  throw error;
};
const messagesOf = (error: unknown): string[] => (error as GateError).faults.map(({ message }) => message);

describe('several checks', () => {
  it('several checks give their results in their order', async () => {
    expect(
      allOrFaults(
        () => 1,
        () => 'b',
      ),
    ).toEqual([1, 'b']);
    expect(await allReadOrFaults(Promise.resolve(1), Promise.resolve('b'))).toEqual([1, 'b']);
  });

  it('several checks that fail are told with the faults of all, in their order', async () => {
    const two = faultsToError([...invalid('a').faults, ...invalid('b').faults]);
    const checks = [() => fail(two), () => 1, () => fail(invalid('c'))];
    expect(messagesOf(await thrown(() => allOrFaults(...checks)))).toEqual(['a', 'b', 'c']);
    const late = new Promise<never>((_, reject) => setImmediate(() => reject(two)));
    const reading = () => allReadOrFaults(late, Promise.resolve(1), Promise.reject(invalid('c')));
    expect(messagesOf(await thrown(reading))).toEqual(['a', 'b', 'c']);
  });

  it('several checks of which one fails while it reads throw its own error', async () => {
    const error = invalid('a');
    expect(await thrown(() => allReadOrFaults(Promise.resolve(1), Promise.reject(error)))).toBe(error);
  });

  it('several checks throw an error of another kind as it comes', async () => {
    const broken = new TypeError('broken');
    expect(
      await thrown(() =>
        allOrFaults(
          () => fail(invalid('a')),
          () => fail(broken),
        ),
      ),
    ).toBe(broken);
    expect(await thrown(() => allReadOrFaults(Promise.reject(invalid('a')), Promise.reject(broken)))).toBe(broken);
  });
});

async function thrown(act: () => unknown): Promise<unknown> {
  try {
    return await act();
  } catch (error) {
    return error;
  }
}
