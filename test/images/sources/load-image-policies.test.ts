import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GateError } from '../../../src/kernel/failures';
import type { PolicySurroundings } from '../../../src/images/policies/compile-policy';
import { loadImagePolicies } from '../../../src/images/sources/load-image-policies';

const GOOD = `policies:
  - id: production
    name: Production images
    priority: 100
    source:
      registry: docker.example
      repositories: ["team/*"]
      tags: { allow: ["^v"], deny: [], semver: ">=1.29 <2", latest: { count: 20, by: semver }, newerThan: 30d, immutable: ["^v[0-9]"] }
    conditions:
      - { type: tag,   operator: matches, value: "^prod-.*" }
      - { type: label, operator: equals,  value: "environment=production", logical_op: AND }
    actions:
      - { type: replicate, target_registry: ecr, target_repo: "production/{repository}", parameters: {} }
  - id: scans
    name: Block images without a scan
    priority: 200
    conditions: [ { type: label, operator: not_exists, value: security.scan.status } ]
    actions: [ { type: block, parameters: { reason: "Missing security scan" } } ]
`;

describe('a folder of image policies', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'image-policies-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const policy = (body: string) => `id: a\nname: A\n${body}\n`;
  const block = 'actions: [ { type: block } ]';

  async function faultsOf(surroundings: PolicySurroundings = {}): Promise<string[]> {
    try {
      await loadImagePolicies(folder, surroundings);
      return [];
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      return error.faults.map(({ message }) => message.replaceAll(`${folder}/`, ''));
    }
  }

  it('is read whole, the higher priority first', async () => {
    write('a.yaml', GOOD);
    mkdirSync(join(folder, 'more'));
    write('more/b.json', JSON.stringify({ id: 'audit', name: 'Audit', actions: [{ type: 'notify' }] }));
    const { policies } = await loadImagePolicies(folder, { registries: ['ecr'] });
    expect(policies.map(({ id, priority, enabled }) => [id, priority, enabled])).toEqual([
      ['scans', 200, true],
      ['production', 100, true],
      ['audit', 0, true],
    ]);
  });

  it('reports all faults of all files, each with its line and column', async () => {
    write('a.yaml', policy('priority: high\nactions: [ { type: block } ]'));
    write('b.yaml', policy(`conditions:\n  - { type: tag, operator: matches, value: "(" }\n${block}`));
    write('c.yaml', 'id: [');
    write('d.json', '{"id": "d", "name": "D", "actions": []}');
    const faults = await faultsOf();
    expect(faults).toEqual([
      expect.stringMatching(/^c\.yaml:\d+/),
      'a.yaml:3:1: expected priority to be a whole number, got a text',
      expect.stringMatching(/^b\.yaml:4:5: expected a regular expression of RE2, got "\(": missing closing \), at \($/),
      expect.stringMatching(/^d\.json:1:\d+: expected actions to be a list of at least 1, got 0 items$/),
    ]);
  });

  it('has each id once', async () => {
    write('a.yaml', policy(block));
    write('b.yaml', policy(block));
    expect(await faultsOf()).toEqual(['b.yaml:1:1: the id a is used twice, in a.yaml:1 too']);
  });

  it.each([
    [
      'a pattern of tags',
      'source: { registry: a.example, repositories: [x], tags: { allow: ["("] } }',
      /regular expression/,
    ],
    [
      'a pattern in a list of sets',
      'source: { registry: a.example, repositories: [x], tags: [{ deny: ["["] }] }',
      /regular expression/,
    ],
    [
      'an immutable pattern',
      'source: { registry: a.example, repositories: [x], tags: { immutable: ["("] } }',
      /regular expression/,
    ],
    ['a range', 'source: { registry: a.example, repositories: [x], tags: { semver: "one" } }', /SemVer range/],
    ['a repository', 'source: { registry: a.example, repositories: [Team] }', /lower case/],
    [
      'an unknown registry as the source',
      'source: { registry: ecs, repositories: [x] }',
      /unknown registry ecs; did you mean ecr\?/,
    ],
    ['a user in the source', 'source: { registry: "me:pass@a.example", repositories: [x] }', /without a user/],
    ['an unknown key', 'colour: red', /unknown key colour/],
    ['a schedule of nothing', 'schedule: "* * * * *"', /a policy with a source and a replicate action/],
    [
      'an unknown condition type',
      'conditions: [ { type: lable, operator: exists, value: a } ]',
      /did you mean label\?/,
    ],
    [
      'an operator that does not fit',
      'conditions: [ { type: metadata, key: size, operator: contains, value: "1" } ]',
      /for the size/,
    ],
    ['a size', 'conditions: [ { type: metadata, key: size, operator: gt, value: big } ]', /such as 100MB/],
    [
      'a value that is no text',
      'conditions: [ { type: metadata, key: has_signature, operator: equals, value: true } ]',
      /in quotes/,
    ],
    ['conditions that are no list', 'conditions: { type: tag }', /conditions/],
    ['a password in metadata', 'metadata: { owner: me, db: { password: hunter2 } }', /no credential in a policy/],
    ['an address with a user', 'metadata: { where: "https://me:hunter2@a.example" }', /without a user/],
    ['a time', 'created_at: yesterday', /RFC 3339/],
    ['a key that is not there', 'signature: { key: { file: none.pub } }', /a public key at .*none\.pub.*ENOENT/],
    ['a file that is not a key', 'signature: { key: { file: a.yaml } }', /expected a public key in PEM/],
  ])('refuses %s', async (_what, body, sentence) => {
    write('a.yaml', policy(`${body}\n${block}`));
    const faults = await faultsOf({ registries: ['ecr'] });
    expect(faults).toEqual([expect.stringMatching(sentence)]);
    expect(faults[0]).toMatch(/^a\.yaml:3:\d+: /);
    expect(faults[0]).not.toContain('hunter2');
  });

  it.each([
    ['an unknown target', '{ type: replicate, target_registry: gcr }', /unknown registry gcr/],
    ['a template', '{ type: replicate, target_registry: ecr, target_repo: "{repo}" }', /expected one of \{registry\}/],
    ['a template of a tag', '{ type: replicate, target_registry: ecr, target_tag: "{tag}/x" }', /a tag's name/],
    ['a platform', '{ type: replicate, target_registry: ecr, platforms: [arm64] }', /linux\/arm64/],
    ['a backup tag', '{ type: replicate, target_registry: ecr, backup_tag: "{tag}/x" }', /a tag's name/],
    ['a token', '{ type: notify, parameters: { token: abc } }', /no credential in a policy$/],
    ['a secret', '{ type: notify, parameters: { to: ["secret:HOOK"] } }', /only hooks read them/],
    ['an encrypted value', '{ type: notify, parameters: { token: "age:YWJj" } }', /only hooks read them/],
    ['another type', '{ type: delete }', /one of/],
  ])('refuses %s in an action', async (_what, action, sentence) => {
    write('a.yaml', policy(`actions:\n  - ${action}`));
    expect(await faultsOf({ registries: ['ecr'] })).toEqual([expect.stringMatching(sentence)]);
  });

  it('reads the key of a signature from a file beside the policy', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    mkdirSync(join(folder, 'more'));
    write('more/cosign.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString());
    write('more/a.yaml', policy(`signature: { key: { file: cosign.pub } }\n${block}`));
    const { policies } = await loadImagePolicies(folder);
    expect(policies[0]?.signature).toMatchObject({ keyFile: 'cosign.pub', enforce: 'enforce' });
  });

  it('may name a secret in a hook, and a registry by its host', async () => {
    write(
      'a.yaml',
      policy(
        'hooks: { after: [{ url: "https://ci.example", headers: { Authorization: "secret:HOOK" } }] }\nactions: [ { type: replicate, target_registry: "mirror.example:5000" } ]',
      ),
    );
    expect(await faultsOf({ registries: [] })).toEqual([]);
  });

  it('has limits', async () => {
    const many = Array.from({ length: 1_001 }, () => ({ type: 'tag', operator: 'exists' }));
    write('a.json', JSON.stringify({ id: 'a', name: 'A', conditions: many, actions: [{ type: 'block' }] }));
    expect(await faultsOf()).toEqual([expect.stringMatching(/at most 1000 conditions/)]);
    let deep: object = { type: 'tag', operator: 'exists' };
    for (let level = 0; level < 40; level += 1) deep = { not: deep };
    write('a.json', JSON.stringify({ id: 'a', name: 'A', conditions: [deep], actions: [{ type: 'block' }] }));
    expect(await faultsOf()).toEqual([expect.stringMatching(/at most 32 levels/)]);
  });

  it('must hold a policy', async () => {
    expect(await faultsOf()).toEqual([expect.stringContaining('expected a folder with policies')]);
    write('a.yaml', 'policies: []\n');
    write('b.json', '[]');
    expect(await faultsOf()).toEqual([expect.stringContaining('expected at least one policy')]);
  });

  it('must be there, and has no links to folders', async () => {
    await expect(loadImagePolicies(join(folder, 'none'))).rejects.toThrow('expected a file or folder of policies');
    write('a.yaml', GOOD);
    mkdirSync(join(folder, 'more'));
    symlinkSync('a.yaml', join(folder, 'b.txt'));
    symlinkSync('more', join(folder, 'linked'));
    expect(await faultsOf({ registries: ['ecr'] })).toEqual([
      'linked: expected a file or a folder, but it is a link to a folder, which is not followed',
    ]);
  });
});
