import { describe, expect, it } from '@jest/globals';
import { placeInJson } from '../../../src/platform/documents/json-places';
import { placeInPkl } from '../../../src/platform/documents/pkl-places';

const JSON_TEXT = '\n{"a": {"b": [1, {"c": "x\\"{"}, true], "d": null},\n "e/f": -1.5e3, "": 2}';

const PKL_TEXT = `/// A comment { with a brace
amends "modulepath:/Release.pkl"

limits {
  maxDelta = 500 // {
  \`max-x\` = 2
}
facts {
  ["rate"] = new Prometheus {
    base = "http://x{"
    query = #"a"b"#
  }
  ["other"] { type = "http"; url = "u" }
  for (name in List("a")) {
    [name] = new LevelServer { base = "z" }
  }
}
local class X { base = 1 }
stages { recheckEvery = 5.s
  list = new Listing { 1; new { a = 2 }
    "x"
  }
}
parameters = new { a = 1 }
`;

describe('the place of a JSON Pointer', () => {
  it.each([
    ['', '2:1'],
    ['/a', '2:2'],
    ['/a/b', '2:8'],
    ['/a/b/1', '2:17'],
    ['/a/b/1/c', '2:18'],
    ['/a/b/2', '2:32'],
    ['/a/b/3', '2:8'],
    ['/a/d', '2:39'],
    ['/e~1f', '3:2'],
    ['/', '3:17'],
    ['/absent', '2:1'],
  ])('the place of %j in a JSON text is %s', (pointer, place) => {
    const { line, column } = placeInJson(JSON_TEXT, pointer);
    expect(`${line}:${column}`).toBe(place);
  });

  it.each([
    ['', '1:1'],
    ['/limits/maxDelta', '5:3'],
    ['/limits/max-x', '6:3'],
    ['/facts/rate/base', '10:5'],
    ['/facts/rate/query', '11:5'],
    ['/facts/rate/absent', '9:3'],
    ['/facts/other/url', '13:30'],
    ['/facts/a/base', '8:1'],
    ['/stages/recheckEvery', '19:10'],
    ['/stages/list/1/a', '20:33'],
    ['/stages/list/2', '21:5'],
    ['/parameters/a', '24:20'],
    ['/absent', '1:1'],
  ])('the place of %j in a PKL text is %s', (pointer, place) => {
    const { line, column } = placeInPkl(PKL_TEXT, pointer);
    expect(`${line}:${column}`).toBe(place);
  });

  it.each(['', '"', '{', '}}}', '["a"', '`', '#"', 'a = "\\', '/* never closed', 'for (', '[[[]]]'.repeat(2_000)])(
    'the place of something in a broken PKL text %# is its beginning or a place in it',
    (text) => {
      expect(placeInPkl(text, '/a/b')).toMatchObject({ line: 1 });
    },
  );
});
