import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decideImage } from '../../../src/images/decision/decide-image';
import { eachOf } from '../../../src/images/each-of';
import type { ImageMetadata } from '../../../src/images/image-metadata';
import { createPolicyFolder } from '../../../src/images/service/policy-folder';

const DECISIONS = 3_000;
const AT_ONCE = 16;
/** Decisions between two changes of the files. */
const CHANGE_EVERY = 150;

describe('policies that are reloaded while many images are decided about', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-reload-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(text: string): void {
    writeFileSync(join(folder, '.next'), text);
    renameSync(join(folder, '.next'), join(folder, 'a.json'));
  }
  /** In the state `one` even tags are copied to `one` and odd ones blocked; in the other one it is the other way round. */
  const state = (name: string, blocked: string): string =>
    JSON.stringify([
      { id: 'copy', name, actions: [{ type: 'replicate', target_registry: 'mirror', target_repo: name }] },
      {
        id: 'block',
        name,
        conditions: [{ type: 'tag', operator: 'matches', value: `[${blocked}]$` }],
        actions: [{ type: 'block', parameters: { reason: name } }],
      },
    ]);
  const expected = (name: string, tag: number): string =>
    (tag % 2 === 1) === (name === 'one') ? `blocked by ${name}` : `copied to ${name}`;

  it('each decision is that of one state as a whole, and a state with faults never counts', async () => {
    const states = [state('one', '13579'), state('two', '02468'), '[{"id": "broken"'];
    write(states[0]!);
    const refused: unknown[] = [];
    const policies = createPolicyFolder({ path: folder, surroundings: {}, onRefused: (error) => refused.push(error) });
    const first = await policies.current();
    const revisions = new Map<string, string>([[first.revision, 'one']]);
    const seen = new Map<string, number>();
    const wrong: string[] = [];
    let changes = 0;
    await eachOf(
      Array.from({ length: DECISIONS }, (_none, tag) => tag),
      AT_ONCE,
      async (tag) => {
        if (tag % CHANGE_EVERY === CHANGE_EVERY - 1) write(states[(changes += 1) % states.length]!);
        const { set, revision } = await policies.current();
        if (!revisions.has(revision)) revisions.set(revision, 'two');
        const name = revisions.get(revision)!;
        seen.set(name, (seen.get(name) ?? 0) + 1);
        const image: ImageMetadata = { registry: 'docker.example', repository: 'team/app', tag: `v${tag}` };
        const { actions, shouldReplicate, reason } = decideImage(set, image, { nowMs: 0, clockNs: () => 0 });
        const [action] = actions;
        const said =
          shouldReplicate && action?.type === 'replicate'
            ? `copied to ${action.target.repository}`
            : `blocked by ${reason}`;
        if (said !== expected(name, tag)) wrong.push(`${name} ${tag}: ${said}`);
      },
    );
    expect(wrong).toEqual([]);
    expect(revisions.size).toBe(2);
    expect([...seen.keys()].sort()).toEqual(['one', 'two']);
    expect([...seen.values()].reduce((sum, one) => sum + one, 0)).toBe(DECISIONS);
    expect(refused.length).toBeGreaterThan(0);
    // The same files give the same decisions before and after.
    write(states[0]!);
    expect((await policies.current()).revision).toBe(first.revision);
  });
});
