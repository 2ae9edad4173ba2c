import { describe, expect, it } from '@jest/globals';
import type { ImageMetadata } from '../../../src/images/image-metadata';
import { compileTagSet, type TagChooser, type TagSet } from '../../../src/images/policies/choose-tags';
import { readTargetTemplate } from '../../../src/images/policies/target-template';

const IMAGE: ImageMetadata = {
  registry: 'registry.example:5000',
  repository: 'team/app',
  tag: 'v1.2',
  digest: `sha256:${'a'.repeat(64)}`,
  labels: { team: ['red'], Upper: ['Red'], two: ['a', 'b'] },
  architectures: ['amd64'],
};

describe('names of targets', () => {
  it.each([
    ['production/{repository}', 'production/team/app'],
    ['production/{repository.name}', 'production/app'],
    ['{registry}/{repository}', 'registry.example-5000/team/app'],
    ['{label:team}/{repository.name}-{architecture}', 'red/app-amd64'],
  ])('%s is %s', (template, name) => {
    const read = readTargetTemplate(template, 'repository');
    expect(typeof read === 'string' ? read : read.fill(IMAGE)).toEqual({ name });
  });

  it.each([
    ['{tag}-{architecture}', 'v1.2-amd64'],
    ['{digest}', `sha256-${'a'.repeat(64)}`],
  ])('%s is the tag %s', (template, name) => {
    const read = readTargetTemplate(template, 'tag');
    expect(typeof read === 'string' ? read : read.fill(IMAGE)).toEqual({ name });
  });

  it.each([
    ['{label:Upper}/x', 'which is no valid name of a repository'],
    ['{label:none}/x', 'the image has no label:none'],
    ['{label:two}/x', 'the image has no label:two, or more than one'],
    ['{label:constructor}/x', 'the image has no label:constructor'],
  ])('%s gives none', (template, sentence) => {
    const read = readTargetTemplate(template, 'repository');
    expect(typeof read === 'string' ? read : read.fill(IMAGE)).toEqual({ fault: expect.stringContaining(sentence) });
  });

  it.each([
    ['{nothing}', 'expected one of {registry}, {repository}'],
    ['{label:}', 'got {label:}'],
    ['{tag', 'in pairs of braces'],
    ['../{tag}', "a template for a repository's name"],
    ['', "a template for a repository's name"],
    ['Upper/{tag}', "a template for a repository's name"],
  ])('%s is no template', (template, sentence) => {
    expect(readTargetTemplate(template, 'repository')).toContain(sentence);
  });
});

describe('tags of a repository', () => {
  const NOW = Date.parse('2026-06-30T00:00:00Z');
  const TAGS = ['latest', 'v1.9', 'v1.10', '1.2.3', '2.0.0-rc.1', 'v2', 'dev-1'];

  function compiled(set: TagSet): TagChooser {
    const chooser = compileTagSet(set);
    if ('faults' in chooser) throw new Error(chooser.faults.join());
    return chooser;
  }

  it.each<[TagSet, string[]]>([
    [{}, TAGS],
    [{ allow: ['^v'] }, ['v1.9', 'v1.10', 'v2']],
    [{ allow: [] }, []],
    [{ allow: ['^v', '^dev'], deny: ['9$'] }, ['v1.10', 'v2', 'dev-1']],
    [{ semver: '>=1.2.3 <2' }, ['v1.9', 'v1.10', '1.2.3']],
  ])('%j chooses %j', (set, expected) => {
    expect(compiled(set).byName(TAGS)).toEqual(expected);
  });

  it.each<[TagSet, string[]]>([
    [{}, TAGS],
    [{ latest: { count: 2, by: 'semver' } }, ['v2', '2.0.0-rc.1']],
    [{ semver: '<2', latest: { count: 2, by: 'semver' } }, ['v1.10', 'v1.9']],
    [{ latest: { count: 2, by: 'created' } }, ['latest', 'v1.9']],
    [{ newerThanMs: 86_400_000 }, ['latest', 'v1.9']],
  ])('%j chooses %j, each image a day older than the one before', (set, expected) => {
    const { byName, byAge } = compiled(set);
    const aged = byName(TAGS).map((tag) => ({ tag, createdAtMs: NOW - TAGS.indexOf(tag) * 86_400_000 }));
    expect(byAge(aged, NOW)).toEqual(expected);
  });

  it.each<[TagSet, boolean, boolean]>([
    [{ latest: { count: 1, by: 'semver' } }, true, false],
    [{ latest: { count: 1, by: 'created' } }, true, true],
    [{ newerThanMs: 1 }, false, true],
    [{ allow: ['a'] }, false, false],
  ])('%j has latest: %p, and needs the time of each image: %p', (set, hasLatest, needsCreated) => {
    expect(compiled(set)).toMatchObject({ hasLatest, needsCreated });
  });

  it('an image whose age could not be read is neither young nor the latest by age', () => {
    const aged = [{ tag: 'a' }, { tag: 'b', createdAtMs: NOW }];
    expect(compiled({ newerThanMs: 1000 }).byAge(aged, NOW)).toEqual(['b']);
    expect(compiled({ latest: { count: 2, by: 'created' } }).byAge(aged, NOW)).toEqual(['b']);
  });

  it.each([
    [1000, NOW - 1000, true],
    [1000, NOW - 1001, false],
    [1000, undefined, undefined],
    [undefined, undefined, true],
  ])('with newerThanMs %p an image of %p is young enough: %p', (newerThanMs, createdAtMs, expected) => {
    const set = compiled(newerThanMs === undefined ? {} : { newerThanMs });
    expect(set.isYoungEnough(createdAtMs, NOW)).toBe(expected);
  });

  it('every invalid part is a fault', () => {
    expect(compileTagSet({ allow: ['('], deny: ['(?!x)'], semver: 'new' })).toEqual({
      faults: [
        expect.stringContaining('got "("'),
        expect.stringContaining('got "(?!x)"'),
        expect.stringContaining('a SemVer range'),
      ],
    });
  });
});
