import { describe, expect, it } from '@jest/globals';
import { BUILTINS } from '../../../src/rego/builtins';
import { BUILTIN_NAMES } from '../../../src/rego/builtins/names';

describe('the names of the built-ins', () => {
  it('the names of the built-ins are those that are answered, each once', () => {
    expect(BUILTIN_NAMES.toSorted()).toEqual(Object.keys(BUILTINS).toSorted());
  });
});
