import { describe, expect, it } from '@jest/globals';
import {
  matchesPath,
  parsePathPattern,
  takesInEverything,
  type PathPattern,
} from '../../../src/rego/declarations/path-pattern';

function pattern(text: string): PathPattern {
  const parsed = parsePathPattern(text);
  if ('expected' in parsed) throw new Error(`${text}: expected ${parsed.expected}`);
  return parsed;
}

describe('a pattern of optional paths', () => {
  it.each([
    ['input.fleet.note', ['input', 'fleet', 'note'], true],
    ['input.fleet.note', ['input', 'fleet', 'notes'], false],
    ['input.fleet.note', ['input', 'fleet', 'note', 'text'], false],
    ['input.fleet.*.note', ['input', 'fleet', '0', 'note'], true],
    ['input.fleet.*.note', ['input', 'fleet', 'note'], false],
    ['input.fleet.**', ['input', 'fleet'], true],
    ['input.fleet.**', ['input', 'fleet', 'a', 'b', 'c'], true],
    ['input.fleet.**.note', ['input', 'fleet', 'note'], true],
    ['input.fleet.**.note', ['input', 'fleet', 'a', 'b', 'note'], true],
    ['input.fleet.**.note', ['input', 'fleet', 'a', 'b', 'text'], false],
    ['input.fleet["a.b/c"].*', ['input', 'fleet', 'a.b/c', 'x'], true],
    ['input.fleet["*"]', ['input', 'fleet', 'x'], false],
    ['data.exceptions.*', ['data', 'exceptions', 'eu'], true],
    ['data.freeze', ['data', 'freeze'], true],
    ['input.deployment.attributes.risk', ['input', 'deployment', 'attributes', 'risk'], true],
  ])('%s, held against %j, gives %s', (text, path, expected) => {
    expect(matchesPath(pattern(text), path)).toBe(expected);
  });

  it.each([
    ['', 'a path below input or data'],
    ['fleet.note', 'a path below input or data'],
    ['inputs.fleet.note', 'a path below input or data'],
    ['input.fleet', 'a path below the whole fact'],
    ['input.*.note', 'a path below the whole fact'],
    ['input.**', 'a path below the whole fact'],
    ['input.deployment.attributes', 'a path below the whole fact'],
    ['data.config.limits', 'a path below the whole fact'],
    ['input.fleet..note', 'a key, * or ** at character 12'],
    ['input.fleet.no*te', 'a key, * or ** at character 15'],
    ['input.fleet[0]', 'a key, * or ** at character 12'],
    ['input.fleet["\\x"]', 'a JSON text in brackets at character 12'],
  ])('%j is refused', (text, expected) => {
    expect(parsePathPattern(text)).toEqual({ expected: expect.stringContaining(expected) });
  });

  it.each([
    ['input.fleet.**', true],
    ['input.fleet.labels.**', false],
    ['input.deployment.attributes.**', true],
    ['data.config.parameters.**', true],
    ['data.exceptions.**', false],
    ['data.exceptions.eu.**', false],
  ])('%s takes in all of a fact, of the attributes or of the parameters: %s', (text, expected) => {
    expect(takesInEverything(pattern(text))).toBe(expected);
  });
});
