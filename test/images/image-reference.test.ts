import { describe, expect, it, test } from '@jest/globals';
import {
  apiHostOf,
  credentialKeyOf,
  formatImageReference,
  parseImageReference,
} from '../../src/images/image-reference';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('image references', () => {
  it.each([
    ['nginx', { registry: 'docker.io', repository: 'library/nginx' }],
    ['nginx:1.27', { registry: 'docker.io', repository: 'library/nginx', tag: '1.27' }],
    ['team/app', { registry: 'docker.io', repository: 'team/app' }],
    ['docker.io/nginx', { registry: 'docker.io', repository: 'library/nginx' }],
    ['index.docker.io/team/app', { registry: 'docker.io', repository: 'team/app' }],
    ['localhost/app', { registry: 'localhost', repository: 'app' }],
    ['localhost:5000/app:v1', { registry: 'localhost:5000', repository: 'app', tag: 'v1' }],
    ['[::1]:5000/app', { registry: '[::1]:5000', repository: 'app' }],
    ['registry.example/a/b__c/d-e', { registry: 'registry.example', repository: 'a/b__c/d-e' }],
    [`registry.example/app@${DIGEST}`, { registry: 'registry.example', repository: 'app', digest: DIGEST }],
    [
      `registry.example/app:v1@${DIGEST}`,
      { registry: 'registry.example', repository: 'app', tag: 'v1', digest: DIGEST },
    ],
  ])('%s', (text, expected) => {
    const read = parseImageReference(text);
    expect(read).toEqual(expected);
    expect(parseImageReference(formatImageReference(expected))).toEqual(expected);
  });

  it.each([
    ['', 'a repository in lower case'],
    ['Team/app', 'a repository in lower case'],
    ['registry.example/', 'a repository in lower case'],
    ['registry.example/a//b', 'a repository in lower case'],
    ['registry.example/../b', 'a repository in lower case'],
    ['app:', 'a tag after the colon'],
    ['app:-x', 'a tag after the colon'],
    [`app:${'x'.repeat(129)}`, 'a tag after the colon'],
    ['app@sha256:12', 'a digest such as'],
    [`app@${DIGEST}@${DIGEST}`, 'at most one @'],
    ['regis_try.example/app', "a registry's host"],
    ['https://registry.example/app', "a registry's host"],
    [`${'a/'.repeat(130)}b`, 'a repository in lower case'],
  ])('%s is none', (text, expected) => {
    expect(parseImageReference(text)).toContain(`expected ${expected}`);
  });

  test('Docker Hub is spoken to, and logged in to, under other names', () => {
    expect(apiHostOf('docker.io')).toBe('registry-1.docker.io');
    expect(credentialKeyOf('docker.io')).toBe('https://index.docker.io/v1/');
    expect(apiHostOf('registry.example')).toBe('registry.example');
    expect(credentialKeyOf('registry.example')).toBe('registry.example');
  });
});
