import { describe, expect, it } from '@jest/globals';
import { buildIdOf } from '../../../../src/platform/temporal/versioning/build-id';

const map = (folder: string): string => `//# sourceMappingURL=data:application/json;base64,${btoa(folder)}`;

describe('buildIdOf', () => {
  it('buildIdOf is the version of the package and 12 hex digits of the SHA-256 of the code', () => {
    expect(buildIdOf('1.2.3', 'abc')).toBe('1.2.3-ba7816bf8f01');
  });

  it('buildIdOf is the same for one commit built in two folders, whose source maps differ', () => {
    const code = 'const one = 1;\n';
    expect(buildIdOf('1.2.3', `${code}${map('/one/dist')}`)).toBe(buildIdOf('1.2.3', `${code}${map('/another/dist')}`));
  });

  it('buildIdOf differs when the code differs, or the version', () => {
    const ids = [buildIdOf('1.2.3', 'one'), buildIdOf('1.2.3', 'two'), buildIdOf('1.2.4', 'one')];
    expect(new Set(ids).size).toBe(3);
  });
});
