import { describe, expect, it } from '@jest/globals';
import { compileConditions } from '../../../src/images/conditions/compile-conditions';
import type { ImageCondition } from '../../../src/images/conditions/image-condition';
import type { ImageMetadata } from '../../../src/images/image-metadata';

const NOW = Date.parse('2026-06-01T00:00:00Z');

const IMAGE: ImageMetadata = {
  registry: 'registry.example',
  repository: 'team/app',
  tag: 'prod-1.2',
  digest: `sha256:${'a'.repeat(64)}`,
  labels: { environment: ['production', 'staging'], empty: [''] },
  annotations: { 'a.b/c': ['1'] },
  size: 150_000_000,
  createdAtMs: Date.parse('2026-05-01T00:00:00Z'),
  architectures: ['amd64', 'arm64'],
  os: ['linux'],
  hasSignature: false,
};

/** Nothing could be read of it but its name. */
const UNREAD: ImageMetadata = { registry: 'registry.example', repository: 'team/app', tag: null };

function ask(conditions: ImageCondition[], image = IMAGE) {
  const compiled = compileConditions(conditions);
  if ('faults' in compiled) throw new Error(JSON.stringify(compiled.faults));
  return compiled.join(compiled.parts.map((part) => part(image, NOW)));
}

const label = (operator: string, value?: unknown, key?: string) =>
  ({ type: 'label', operator, value, key }) as ImageCondition;
const metadata = (key: string, operator: string, value?: unknown) =>
  ({ type: 'metadata', key, operator, value }) as ImageCondition;

describe('conditions of images', () => {
  it.each<[ImageCondition, string, string]>([
    [{ type: 'tag', operator: 'matches', value: '^prod-.*' }, 'true', 'false'],
    [{ type: 'tag', operator: 'equals', value: 'prod' }, 'false', 'false'],
    [{ type: 'tag', operator: 'not_equals', value: 'prod' }, 'true', 'true'],
    [{ type: 'tag', operator: 'exists' }, 'true', 'false'],
    [{ type: 'registry', operator: 'in', value: ['docker.io', 'registry.example'] }, 'true', 'true'],
    [{ type: 'repository', operator: 'contains', value: 'am/a' }, 'true', 'true'],
    [label('equals', 'environment=production'), 'true', 'unknown'],
    [label('equals', 'staging', 'environment'), 'true', 'unknown'],
    [label('not_equals', 'environment=production'), 'false', 'unknown'],
    [label('equals', 'none=x'), 'false', 'unknown'],
    [label('not_equals', 'none=x'), 'true', 'unknown'],
    [label('matches', '.*', 'none'), 'false', 'unknown'],
    [label('contains', '', 'none'), 'false', 'unknown'],
    [label('in', ['x'], 'none'), 'false', 'unknown'],
    [label('exists', 'empty'), 'true', 'unknown'],
    [label('not_exists', 'security.scan.status'), 'true', 'unknown'],
    [label('not_exists', undefined, 'environment'), 'false', 'unknown'],
    [label('exists', 'constructor'), 'false', 'unknown'],
    [{ type: 'annotation', key: 'a.b/c', operator: 'equals', value: '1' }, 'true', 'unknown'],
    [metadata('size', 'gt', '100MB'), 'true', 'unknown'],
    [metadata('size', 'lt', '150MB'), 'false', 'unknown'],
    [metadata('size', 'equals', '150000000'), 'true', 'unknown'],
    [metadata('age', 'gt', '30d'), 'true', 'unknown'],
    [metadata('age', 'lt', '31d'), 'false', 'unknown'],
    [{ type: 'metadata', operator: 'gt', value: 'age=30d' }, 'true', 'unknown'],
    [metadata('architecture', 'equals', 'arm64'), 'true', 'unknown'],
    [metadata('architecture', 'not_equals', 'arm64'), 'false', 'unknown'],
    [metadata('os', 'equals', 'windows'), 'false', 'unknown'],
    [metadata('has_signature', 'equals', 'false'), 'true', 'unknown'],
    [metadata('digest', 'matches', '^sha256:a'), 'true', 'unknown'],
  ])('%j is %s, and %s of an image that could not be read', (condition, read, unread) => {
    expect(ask([condition]).truth).toBe(read);
    expect(ask([condition], UNREAD).truth).toBe(unread);
    expect(ask([{ not: condition }]).truth).toBe(read === 'true' ? 'false' : 'true');
  });

  it('names what was compared and the value that was found', () => {
    expect(ask([label('equals', 'environment=prod')]).reason).toBe(
      'the label environment equals "prod" does not hold: it is production, staging',
    );
    expect(ask([label('exists', 'none')]).reason).toBe('the label none exists does not hold: it is absent');
    expect(ask([metadata('size', 'gt', '1MB')], UNREAD).reason).toBe('the size could not be read');
  });

  // AND binds tighter than OR: the list is split at each OR.
  it.each([
    ['t', 'true'],
    ['f', 'false'],
    ['t AND f', 'false'],
    ['t OR f', 'true'],
    ['t OR f AND f', 'true'],
    ['f AND f OR t', 'true'],
    ['f OR t AND t', 'true'],
    ['f OR t AND f', 'false'],
    ['t AND f OR f AND t', 'false'],
    ['u AND f', 'false'],
    ['u OR t', 'true'],
    ['u AND t', 'unknown'],
    ['f OR u AND t', 'unknown'],
    ['', 'true'],
  ])('"%s" is %s', (text, expected) => {
    const is = (letter: string): ImageCondition => {
      if (letter === 'u') return metadata('size', 'exists');
      return { type: 'repository', operator: 'equals', value: letter === 't' ? 'team/app' : 'other' };
    };
    const words = text.split(' ').filter((word) => word !== '');
    const conditions = words.flatMap((word, index) =>
      index % 2 === 1
        ? []
        : [{ ...is(word), ...(index === 0 ? {} : { logical_op: words[index - 1] }) } as ImageCondition],
    );
    expect(ask(conditions, { ...UNREAD, tag: 'x' }).truth).toBe(expected);
  });

  it('nested conditions are joined as they say', () => {
    const [yes, no] = [label('exists', 'environment'), label('exists', 'none')];
    expect(ask([{ any: [no, { all: [yes, { not: no }] }] }]).truth).toBe('true');
    expect(ask([{ all: [yes, no] }]).truth).toBe('false');
  });

  it('every fault has its place', () => {
    const compiled = compileConditions([
      { type: 'tag', operator: 'matches', value: '(?=x)' },
      { any: [{ type: 'tag', operator: 'gt', value: '1' }, { not: metadata('weight', 'exists') }] },
      label('equals', 'no-equals-sign'),
      metadata('size', 'gt', '100 MB'),
      metadata('age', 'lt', '30'),
      { type: 'tag', operator: 'in', value: 'x' },
      { all: [{ type: 'tag', operator: 'exists', logical_op: 'OR' }] },
    ]);
    expect(compiled).toMatchInlineSnapshot(`
      {
        "faults": [
          {
            "pointer": "/0",
            "sentence": "expected a regular expression of RE2, got "(?=x)": RE2 has no look-around and no back-references, so no (?=",
          },
          {
            "pointer": "/1/any/0",
            "sentence": "expected one of equals, not_equals, matches, contains, in, exists, not_exists for the tag, got gt",
          },
          {
            "pointer": "/1/any/1/not",
            "sentence": "expected one of digest, size, age, architecture, os, has_signature as metadata, got "weight"",
          },
          {
            "pointer": "/2",
            "sentence": "expected a key, or KEY=VALUE as the value, got "no-equals-sign"",
          },
          {
            "pointer": "/3",
            "sentence": "expected a size such as 100MB, got "100 MB"",
          },
          {
            "pointer": "/4",
            "sentence": "expected an age such as 30d, got "30"",
          },
          {
            "pointer": "/5",
            "sentence": "expected a list of texts as the value of in",
          },
          {
            "pointer": "/6/all/0",
            "sentence": "expected no logical_op within all, any and not, which say how conditions are joined",
          },
        ],
      }
    `);
  });

  it('a hostile pattern and a long tag end at once', () => {
    const image = { ...IMAGE, labels: { x: [`${'a'.repeat(50_000)}!`] } };
    expect(ask([label('matches', '(a+)+$', 'x')], image).truth).toBe('false');
  });
});
