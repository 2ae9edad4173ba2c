import { describe, expect, it } from '@jest/globals';
import { parseObjectUrl, placeUrl } from '../../../src/platform/objects/object-url';
import { openObjectStore } from '../../../src/platform/objects/stores/open-object-store';

describe('the URL of an object', () => {
  it.each([
    ['s3://gate/latest.json', { kind: 's3', bucket: 'gate', prefix: '', key: 'latest.json' }, 's3://gate/'],
    ['s3://gate/a/b/m.json', { kind: 's3', bucket: 'gate', prefix: 'a/b/', key: 'm.json' }, 's3://gate/a/b/'],
    ['file:///srv/m%20m.json', { kind: 'file', folder: '/srv', key: 'm m.json' }, 'file:///srv/'],
    ['/m.json', { kind: 'file', folder: '/', key: 'm.json' }, 'file:///'],
    ['sub/m.json', { kind: 'file', folder: '/cwd/sub', key: 'm.json' }, 'file:///cwd/sub/'],
  ])('the URL of an object takes %s apart', (url, place, at) => {
    expect(parseObjectUrl(url, '/cwd')).toEqual(place);
    expect(placeUrl(parseObjectUrl(url, '/cwd'))).toBe(at);
  });

  it.each([
    ['', 'name of a file'],
    ['dir/', 'name of a file'],
    ['http://host/m.json', 'Expected s3://'],
    ['s3:/gate/m.json', 'name of a bucket'],
    ['s3://UPPER/m.json', 'name of a bucket'],
    ['s3://ga/m.json', 'name of a bucket'],
    ['s3://gate', 'name of an object'],
    ['s3://gate/', 'name of an object'],
    ['s3://gate/a//m.json', 'plain key'],
    ['s3://gate/../m.json', 'plain key'],
    ['file://elsewhere/m.json', 'of this machine'],
  ])('the URL of an object refuses %s', (url, why) => {
    expect(() => parseObjectUrl(url, '/cwd')).toThrow(why);
  });

  it('the URL of an object opens the store that it names', async () => {
    const access = { forcePathStyle: true, endpoint: 'http://127.0.0.1:9', region: 'us-east-1' };
    const s3 = await openObjectStore('s3://gate/prefix/latest.json', access);
    expect([s3.store.url, s3.key]).toEqual(['s3://gate/prefix/', 'latest.json']);
    const file = await openObjectStore('m.json', { forcePathStyle: false }, '/cwd');
    expect([file.store.url, file.key]).toEqual(['file:///cwd/', 'm.json']);
  });
});
