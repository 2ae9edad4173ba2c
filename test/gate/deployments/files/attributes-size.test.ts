import { describe, expect, it } from '@jest/globals';
import { validateDeployment } from '../../../../src/gate/deployments/files/load-deployment';
import { LIMITS } from '../../../../src/kernel/limits';

const MAX_ATTRIBUTES_BYTES = LIMITS.attributesBytes;

/** A deployment whose attributes have so many bytes as JSON, in two parts and with characters of two bytes. */
function deploymentOf(bytes: number): object {
  const left = bytes - '{"a":""}'.length * 2;
  const wide = 'é'.repeat(100);
  const attributes = { a: wide };
  return { id: 'd1', attributes, stages: [{ name: 'canary', attributes: { a: 'x'.repeat(left - 200) } }] };
}

describe('the attributes of a deployment', () => {
  it.each([MAX_ATTRIBUTES_BYTES - 1, MAX_ATTRIBUTES_BYTES])('attributes of %d bytes are taken', (bytes) => {
    expect(validateDeployment(deploymentOf(bytes))).toMatchObject({ id: 'd1' });
  });

  it.each([MAX_ATTRIBUTES_BYTES + 1, 900_000])(
    'attributes of %d bytes are refused, with their size and the limit',
    (bytes) => {
      expect(() => validateDeployment(deploymentOf(bytes))).toThrow(
        new RegExp(`at most ${MAX_ATTRIBUTES_BYTES} bytes as JSON, got ${bytes}`),
      );
    },
  );
});
