import { describe, expect, it } from '@jest/globals';
import { parseJson, parseYaml } from '../../../../src/platform/documents/loaders/parse-text';
import { validate } from '../../../../src/platform/documents/validate';
import { ReleaseConfig } from '../../../../src/releases/config/release-config';

const keys = (count: number) => Array.from({ length: count }, (_, index) => `"k${index}": ${index}`);

/** Texts for which some reader's time grew with the square of their length. */
describe('the readers of texts', () => {
  it('the parser of JSON reads 4 MB of escaped quotes', () => {
    const text = `{"a": "${'\\"'.repeat(2e6)}"}`;
    expect((parseJson('a.json', text).document as { a: string }).a).toHaveLength(2e6);
  }, 600_000);

  it('the parser of YAML finds the duplicate among 50,000 keys', () => {
    const text = `${keys(50_000).join('\n')}\n"k7": 1\n`;
    expect(() => parseYaml('a.yaml', text)).toThrow('a.yaml:50001: the same key is twice in one object');
  }, 600_000);

  it('the check of a document names each of 10,000 unknown keys with its line', () => {
    const { document, lineOf } = parseJson('a.json', `{${keys(10_000).join(',\n')}}`);
    expect(() => validate(ReleaseConfig, document, { file: 'a.json', lineOf })).toThrow(
      'a.json:10000: unknown key k9999',
    );
  }, 600_000);
});
