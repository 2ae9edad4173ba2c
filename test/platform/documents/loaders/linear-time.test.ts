import { describe, expect, it } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import { parseJson, parseYaml } from '../../../../src/platform/documents/loaders/parse-text';
import { validate } from '../../../../src/platform/documents/validate';
import { ReleaseConfig } from '../../../../src/releases/config/release-config';

const TIMES = 8;
/** Eight times the text costs a linear reader about 8 times the work, up to 12 by the sizes of caches; a quadratic one 64. */
const AT_MOST = 24;
const ROUNDS = 5;

const keys = (count: number) => Array.from({ length: count }, (_, index) => `"k${index}": ${index}`);

/** The least processor time of some rounds, in microseconds: other processes do not stretch it, and a slow one only adds. */
function work(read: () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const from = process.cpuUsage();
    read();
    const { user, system } = process.cpuUsage(from);
    return user + system;
  });
  return Math.min(...rounds);
}

describe('the readers of texts', () => {
  it.each<[string, number, (count: number) => () => void]>([
    [
      'the parser of JSON, over escaped quotes,',
      100_000,
      (count) => {
        const text = `{"a": "${'\\"'.repeat(count)}"}`;
        return () => expect((parseJson('a.json', text).document as { a: string }).a).toHaveLength(count);
      },
    ],
    [
      'the search for duplicate keys in JSON',
      2_000,
      (count) => {
        const text = `{${[...keys(count), '"k7": 1'].join(',\n')}}`;
        return () => expect(() => parseJson('a.json', text)).toThrow(`a.json:${count + 1}:1: the same key is twice`);
      },
    ],
    [
      'the search for duplicate keys in YAML',
      2_000,
      (count) => {
        const text = `${keys(count).join('\n')}\n"k7": 1\n`;
        return () => expect(() => parseYaml('a.yaml', text)).toThrow(`a.yaml:${count + 1}:1: the same key is twice`);
      },
    ],
    [
      'the check of a document, naming what is wrong within each union,',
      500,
      (count) => {
        const tags = Type.Union([Type.Object({ count: Type.Integer({ minimum: 1 }) }), Type.Array(Type.String())]);
        const document = { all: Array.from({ length: count }, () => ({ count: 0 })) };
        const check = () => validate(Type.Object({ all: Type.Array(tags) }), document, { file: 'a.json' });
        return () => expect(check).toThrow(`all[${count - 1}].count to be at least 1, got 0`);
      },
    ],
    [
      'the check of a document, naming each unknown key with its line,',
      1_000,
      (count) => {
        const text = `{${keys(count).join(',\n')}}`;
        return () => {
          const { document, lineOf } = parseJson('a.json', text);
          const check = () => validate(ReleaseConfig, document, { file: 'a.json', lineOf });
          expect(check).toThrow(`a.json:${count}: unknown key k${count - 1}`);
        };
      },
    ],
  ])('%s does work that grows with the text and no faster', (_title, count, make) => {
    const small = work(make(count));
    expect(work(make(count * TIMES)) / small).toBeLessThan(AT_MOST);
  });
});
