import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';
import { runCli } from '../run-cli';

const MORE = [
  'deny_reasons contains "note: bad" if {',
  '\tinput.fleet.note == "bad"',
  '\tinput.fleet.labels["a.b/c"] == "x"',
  '}',
  '',
  'deny_reasons contains "version: old" if semver.compare(input.fleet.version, "1.0.0") < 0',
].join('\n');
const FILES = {
  'policy/gate.rego': gate('input.fleet.pending > 5', MORE),
  'policy/input.json': schemaOf({ fleet: { type: 'object' } }),
  'facts.json': JSON.stringify({ fleet: { pending: 1, version: 'unknown' } }),
};

it('gate policy optional writes METADATA under which the same facts are allowed', async () => {
  await withPolicy(FILES, async (dir) => {
    const written = await runCli(dir, ['policy', 'optional', 'policy', '--facts', 'facts.json', '--output', 'json']);
    expect(written.code).toBe(0);
    const { blocks, left_out } = JSON.parse(written.stdout) as { blocks: Block[]; left_out: string[] };
    expect(left_out).toEqual([]);
    expect(blocks.map(({ rule, where }) => [rule, where])).toEqual([
      ['data.gate.deny_reasons', 'gate.rego:10'],
      ['data.gate.deny_reasons', 'gate.rego:15'],
    ]);
    expect(blocks[0]!.lines).toContain('#       - "input.fleet.note"');
    const path = join(dir, 'policy/gate.rego');
    const lines = (await readFile(path, 'utf8')).split('\n');
    for (const { where, lines: block } of blocks.toReversed())
      lines.splice(Number(where.split(':')[1]) - 1, 0, ...block);
    await writeFile(path, lines.join('\n'));
    expect(await runCli(dir, ['evaluate', '--policy', 'policy', '--facts', 'facts.json'])).toMatchObject({ code: 0 });
  });
});

it('gate policy optional reads what audit records hold, and names what it leaves out', async () => {
  await withPolicy(FILES, async (dir) => {
    const noted = await runCli(dir, ['evaluate', '--policy', 'policy', '--facts', 'facts.json', '--output', 'json']);
    const { error } = JSON.parse(noted.stdout) as { error: { faults: { where: string; message: string }[] } };
    const { faults } = error;
    const elsewhere = { ...faults[0]!, where: 'gone.rego:3' };
    const records = [{ errorDetails: faults }, { errorDetails: [], evaluation: { notes: [elsewhere] } }, {}];
    await writeFile(join(dir, 'records.jsonl'), records.map((record) => JSON.stringify(record)).join('\n'));
    const { stdout } = await runCli(dir, ['policy', 'optional', 'policy', '--records', 'records.jsonl']);
    const printed = stdout.split('\n');
    expect(printed).toEqual(
      expect.arrayContaining([
        '# for data.gate.deny_reasons at gate.rego:15',
        '#     builtin_errors: undefined',
        '# left out: gone.rego:3: the policy has no rule there now',
      ]),
    );
  });
});

interface Block {
  rule: string;
  where: string;
  lines: string[];
}
