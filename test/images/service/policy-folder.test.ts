import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createPolicyFolder, type PolicyFolder } from '../../../src/images/service/policy-folder';
import { readPublicKey, type PublicKey } from '../../../src/images/signatures/public-key';

const KEY = readPublicKey(
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
) as PublicKey;

describe('policies that are read again', () => {
  let folder: string;
  let refused: unknown[];
  /** done while the policies are read, after their files were */
  let meanwhile: (() => void)[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-policy-folder-'));
    [refused, meanwhile] = [[], []];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (file: string, name: string, more: object = { signature: { key: { file: 'cosign.pub' } } }) =>
    writeFileSync(join(folder, file), JSON.stringify({ id: file, name, actions: [{ type: 'block' }], ...more }));
  const open = (): PolicyFolder =>
    createPolicyFolder({
      path: folder,
      surroundings: {
        readKey: () => {
          meanwhile.shift()?.();
          return KEY;
        },
      },
      onRefused: (error) => refused.push(error),
    });
  const names = async (opened: PolicyFolder) => (await opened.current()).set.policies.map(({ name }) => name).sort();

  it('are never of two states, and a change that comes while they are read is not missed', async () => {
    write('a.json', 'a 1');
    write('b.json', 'b 1');
    const opened = open();
    meanwhile.push(() => {
      write('a.json', 'a 20');
      write('b.json', 'b 20');
    });
    expect(await names(opened)).toEqual(['a 20', 'b 20']);
    write('b.json', 'b 300');
    meanwhile.push(() => write('a.json', 'a 300'));
    expect(await names(opened)).toEqual(['a 300', 'b 300']);
    expect(await names(opened)).toEqual(['a 300', 'b 300']);
  });

  it('stay as they were while the files change without an end, and are read once they rest', async () => {
    write('a.json', 'a');
    const opened = open();
    expect(await names(opened)).toEqual(['a']);
    let length = 1;
    const change = () => write('a.json', `a ${'x'.repeat(++length)}`);
    change();
    meanwhile.push(...Array.from({ length: 5 }, () => change));
    expect(await names(opened)).toEqual(['a']);
    expect(await names(opened)).toEqual([`a ${'x'.repeat(length)}`]);
  });

  it('are read where they change without an end and there are no earlier ones', async () => {
    write('a.json', 'a');
    const opened = open();
    let length = 1;
    const change = () => write('a.json', `a ${'x'.repeat(++length)}`);
    meanwhile.push(...Array.from({ length: 5 }, () => change));
    const found = await names(opened);
    expect(found).toEqual([expect.stringMatching(/^a x+$/)]);
    expect(await names(opened)).toEqual([`a ${'x'.repeat(length)}`]);
    expect(refused).toEqual([]);
  });

  it('a fault that is mended while it is read is not told; one that stays is told once, and the last good ones stay', async () => {
    write('a.json', 'a');
    write('b.json', 'b');
    const opened = open();
    expect(await names(opened)).toEqual(['a', 'b']);
    write('b.json', 'b', { signature: { key: { file: 'cosign.pub' } }, unknown: true });
    meanwhile.push(() => write('b.json', 'b is mended'));
    expect(await names(opened)).toEqual(['a', 'b is mended']);
    expect(refused).toEqual([]);
    write('b.json', 'b', { unknown: true });
    expect(await names(opened)).toEqual(['a', 'b is mended']);
    expect(await names(opened)).toEqual(['a', 'b is mended']);
    expect(refused).toHaveLength(1);
  });

  it('callers that ask at once get the same ones', async () => {
    write('a.json', 'a');
    const opened = open();
    const all = await Promise.all(Array.from({ length: 50 }, () => opened.current()));
    expect(new Set(all).size).toBe(1);
  });
});
