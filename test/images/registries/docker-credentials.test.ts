import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createDockerCredentials } from '../../../src/images/registries/docker-credentials';

describe('credentials of docker login', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'docker-credentials-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const findIn = (config: string | object, env: Record<string, string> = {}) => {
    writeFileSync(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
    return createDockerCredentials({ env: { DOCKER_CONFIG: folder, ...env } });
  };
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  /** A helper as Docker calls it: `get`, with the registry on standard input. */
  const helper = (name: string, script: string): Record<string, string> => {
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\nread -r host\n${script}\n`);
    chmodSync(join(bin, `docker-credential-${name}`), 0o755);
    return { PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  };

  it.each([
    ['a host', 'registry.example:5000', 'registry.example:5000'],
    ['an address', 'https://registry.example/v2/', 'registry.example'],
    ['Docker Hub', 'https://index.docker.io/v1/', 'docker.io'],
  ])('are found under %s', async (_what, key, registry) => {
    const find = findIn({ auths: { 'other.example': { auth: base64('x:y') }, [key]: { auth: base64('ann:pa:ss') } } });
    expect(await find(registry)).toEqual({ username: 'ann', password: 'pa:ss' });
  });

  it('there are no credentials without a file, or if the file names other registries', async () => {
    const none = createDockerCredentials({ env: { DOCKER_CONFIG: join(folder, 'none') } });
    expect(await none('registry.example')).toBeUndefined();
    expect(await findIn({ auths: { 'other.example': { auth: base64('x:y') } } })('registry.example')).toBeUndefined();
    expect(await findIn({ auths: { 'registry.example': {} } })('registry.example')).toBeUndefined();
  });

  it('a helper is asked for its registry, or for all if it is the store', async () => {
    const env = helper('vault', `printf '{"ServerURL":"%s","Username":"ann","Secret":"for %s"}' "$host" "$host"`);
    const one = findIn({ credHelpers: { 'registry.example': 'vault' } }, env);
    expect(await one('registry.example')).toEqual({ username: 'ann', password: 'for registry.example' });
    expect(await one('other.example')).toBeUndefined();
    const all = findIn({ credsStore: 'vault' }, env);
    expect(await all('docker.io')).toEqual({ username: 'ann', password: 'for https://index.docker.io/v1/' });
  });

  it('an identity token is not taken for a password', async () => {
    const env = helper('vault', `echo '{"Username":"<token>","Secret":"abc"}'`);
    expect(await findIn({ credsStore: 'vault' }, env)('registry.example')).toEqual({ identityToken: 'abc' });
    expect(await findIn({ auths: { 'registry.example': { identitytoken: 'abc' } } })('registry.example')).toEqual({
      identityToken: 'abc',
    });
  });

  it('a store that holds nothing leaves the word to the file', async () => {
    const env = helper('vault', 'echo "credentials not found in native keychain"; exit 1');
    const find = findIn({ credsStore: 'vault', auths: { 'registry.example': { auth: base64('ann:x') } } }, env);
    expect(await find('registry.example')).toEqual({ username: 'ann', password: 'x' });
  });

  it.each([
    ['{"auths": []}', 'to be'],
    ['{', 'unreadable'],
    [JSON.stringify({ auths: { 'registry.example': { auth: base64('secret-without-colon') } } }), 'name:password'],
    [JSON.stringify({ credsStore: '../../bin/sh' }), 'name of a credential helper'],
    [JSON.stringify({ credsStore: 'not-there' }), 'docker-credential-not-there gave no credentials'],
  ])('%s is a fault that holds no secret', async (config, sentence) => {
    const asked = findIn(config, { PATH: process.env.PATH ?? '' })('registry.example');
    await expect(asked).rejects.toMatchObject({ failure: 'denied' });
    await expect(asked).rejects.toThrow(sentence);
    await expect(asked).rejects.not.toThrow('secret-without-colon');
  });

  it.each([
    ['exit 3', 'gave no credentials'],
    ['echo "not json secret"', 'to answer {Username, Secret}'],
    [`echo '{"Username":"ann"}'`, 'to answer {Username, Secret}'],
  ])('a helper that runs "%s" is an error', async (script, sentence) => {
    const find = findIn({ credsStore: 'vault' }, helper('vault', script));
    await expect(find('registry.example')).rejects.toThrow(sentence);
  });
});
