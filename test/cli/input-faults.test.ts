import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLoadedSettings } from '../../src/cli/open-settings';
import { runCli } from './run-cli';
import { knownResult } from './known-result';

const POLICY = resolve(__dirname, '..', '..', 'policy');
let folder: string;
const write = (name: string, content: string | Buffer): void => writeFileSync(join(folder, name), content);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('every command', () => {
  it.each([
    'deploy',
    'status',
    'explain',
    'pause',
    'resume',
    'abort',
    'override',
    'list',
    'evaluate',
    'policy build',
    'policy test',
    'policy check',
    'policy types',
    'policy diff',
    'audit list',
    'audit show',
    'worker',
    'dev',
    'setup',
    'doctor',
  ])('gate %s --help has an example, on stdout, without colour', async (command) => {
    const { code, stdout, stderr } = await runCli(folder, [...command.split(' '), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`Examples?:\\n {2}gate ${command}`));
    expect(stdout).not.toContain('\u001b');
  });

  it('a command is refused with exit code 2 when it is unknown', async () => {
    const { code, stdout, stderr } = await runCli(folder, ['deplyo']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("unknown command 'deplyo'");
  });
});

describe('gate deploy, given a file', () => {
  it.each([
    ['missing', undefined, 'missing.yaml: expected a file, but there is none'],
    ['empty', '', 'empty.yaml: expected a document, but the file is empty'],
    ['huge', 'a'.repeat(1024 * 1024 + 1), 'huge.yaml: expected at most 1 MiB, got 1048577 bytes'],
    ['duplicate', 'id: a\nid: b\n', 'duplicate.yaml:2:1: the same key is twice in one object'],
    [
      'latin1',
      Buffer.from('id: caf\xe9\n', 'latin1'),
      'latin1.yaml: expected text in UTF-8, but it is in another encoding or binary',
    ],
    [
      'utf16',
      Buffer.from('\ufeffid: a\n', 'utf16le'),
      'utf16.yaml: expected text in UTF-8, but it is in another encoding or binary',
    ],
  ])('gate deploy, given a file that is %s, says so by the name that the user gave', async (name, content, said) => {
    if (content !== undefined) write(`${name}.yaml`, content);
    const result = await runCli(folder, ['deploy', '-f', `${name}.yaml`]);
    expect(result).toEqual({ code: 2, stdout: '', stderr: `gate: ConfigInvalid: ${said}\n` });
  });

  it('gate deploy names every fault at once, each with its place once', async () => {
    write('faults.yaml', 'id: a\nstagess: []\nstages:\n  - {name: 3, onDenny: x}\n');
    const { code, stderr } = await runCli(folder, ['deploy', '-f', 'faults.yaml']);
    expect(code).toBe(2);
    expect(stderr.split('\n')).toEqual([
      'gate: 3 faults:',
      '  ConfigInvalid: faults.yaml:2:1: unknown key stagess in the document; did you mean stages?',
      '  ConfigInvalid: faults.yaml:4:15: unknown key onDenny in stages[0]; did you mean onDeny?',
      '  ConfigInvalid: faults.yaml:4:6: expected stages[0].name to be a text, got a number',
      '',
    ]);
  });

  it.each([
    [['--stage', 'a'], '--stage needs --id'],
    [[], 'give the deployment by --file, or by --id and --stage'],
    [['-f', 'x.yaml', '--stage', 'a'], 'give either --file or --stage, not both'],
  ])('gate deploy refuses the flags %j', async (flags, said) => {
    expect(await runCli(folder, ['deploy', ...flags])).toEqual({ code: 2, stdout: '', stderr: `gate: ${said}\n` });
  });

  it('gate deploy names the flags that do not fit, all at once and each once', async () => {
    const { code, stderr } = await runCli(folder, ['deploy', '--id', 'bad id', '--stage', 'x', '--on-deny', 'maybe']);
    expect(code).toBe(2);
    expect(stderr).toContain('  ConfigInvalid: the deployment: expected id to be a text that matches');
    expect(stderr).toContain(
      '  ConfigInvalid: the deployment: expected stages[0].onDeny to be one of fail, wait, got "maybe"',
    );
  });

  it('gate deploy refuses a time-out that is invalid', async () => {
    const { code, stderr } = await runCli(folder, ['deploy', '--id', 'a', '--stage', 'a', '--timeout', 'soon']);
    expect(code).toBe(2);
    expect(stderr).toContain('Expected a duration such as 45s or 6h, got "soon"');
  });
});

describe('an option that is given more than once', () => {
  it('an option that takes one value is refused when it is given twice, with every such option', async () => {
    const twice = ['--id', 'a', '--id', 'b', '--on-deny', 'fail', '--on-deny', 'wait'];
    const { code, stdout, stderr } = await runCli(folder, ['deploy', ...twice, '--stage', 'a', '--wait', '--wait']);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: 'gate: 2 faults:\n  expected --id once, got it 2 times\n  expected --on-deny once, got it 2 times\n',
    });
  });

  it.each([
    [['audit', 'list', '--limit', '1', '--limit', '2'], '--limit'],
    [['audit', 'list', '--stage', 'a', '--stage', 'b'], '--stage'],
    [['policy', 'publish', '--version', 'v1', '--version', 'v2'], '--version'],
    [['replay', '--since', '1d', '--since', '2d'], '--since'],
  ])('gate %j is refused before anything is done', async (argv, option) => {
    const { code, stderr } = await runCli(folder, argv);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `gate: expected ${option} once, got it 2 times\n` });
  });

  it('the settings and the format may be given again, after an alias that sets them: the last one counts', async () => {
    write('twice.json', '{}');
    const given = ['--settings', 'absent.json', '--settings', 'twice.json', '-o', 'text', '-o', 'json'];
    const { stdout } = await runCli(folder, ['doctor', ...given], { TEMPORAL_PROFILE: 'absent' });
    expect(knownResult<{ findings: object[] }>(stdout).findings).toContainEqual({
      ...{ state: 'ok', what: 'settings', found: 'twice.json' },
    });
  });

  it('gate status refuses a second deployment id', async () => {
    const { code, stderr } = await runCli(folder, ['status', 'a', 'b']);
    expect(code).toBe(2);
    expect(stderr).toContain('too many arguments');
  });

  it('gate deploy refuses attributes with every fault: no key, a key twice, a number that would be rounded', async () => {
    const given = ['a=1', 'b=x', 'plain', 'a=2', 'big=9007199254740993'].flatMap((text) => ['--attribute', text]);
    const { code, stderr } = await runCli(folder, ['deploy', '--id', 'a', '--stage', 'a', ...given]);
    expect(code).toBe(2);
    expect(stderr.split('\n')).toEqual([
      'gate: 3 faults:',
      '  --attribute: expected key=value, got "plain"',
      '  --attribute: expected the key a once, got it again',
      expect.stringMatching(/^ {2}--attribute big: expected .* got 9007199254740993; a text is written in quotes$/),
      '',
    ]);
  });
});

describe('gate evaluate', () => {
  const HEALTHY = { pending_delta: 100, max_pending: 800, region_health: { eu: { status: 'green' } } };

  it.each([
    ['allows', HEALTHY, 0, 'allow', []],
    [
      'denies',
      { ...HEALTHY, max_pending: 3100 },
      1,
      'deny',
      ['max_pending limit exceeded: current 3100 > configured 2000'],
    ],
  ])('gate evaluate %s, and prints the decision as JSON', async (_does, facts, expected, outcome, reasons) => {
    write('facts.json', JSON.stringify(facts));
    const { code, stdout } = await runCli(folder, [
      'evaluate',
      '--policy',
      POLICY,
      '--facts',
      'facts.json',
      '-o',
      'json',
    ]);
    expect(code).toBe(expected);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome,
      allow: outcome === 'allow',
      deny_reasons: reasons,
      policy_sha: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('gate evaluate ends with exit code 2 and the error in its JSON when a fact is absent', async () => {
    write('facts.json', '{"facts": [{"id": "pending_delta", "value": 1}]}');
    const { code, stdout } = await runCli(folder, [
      'evaluate',
      '--policy',
      POLICY,
      '--facts',
      'facts.json',
      '-o',
      'json',
    ]);
    expect(code).toBe(2);
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(['error']);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        result: { outcome: 'error', allow: false, deny_reasons: [] },
        type: 'FactMissing',
        faults: expect.arrayContaining([expect.objectContaining({ fact_id: 'max_pending' })]),
      },
    });
  });

  it('gate evaluate finds a given fact too old, and too big, as a worker would', async () => {
    const provider = { type: 'levelServer', base: 'http://levels', maxAge: '5s' };
    const at = '2026-11-23T10:00:00Z';
    const given = (timestamp: string, value: unknown = 100) => [
      { id: 'pending_delta', value, timestamp },
      { id: 'max_pending', value: 800 },
      { id: 'region_health', value: HEALTHY.region_health },
    ];
    const release = { facts: { pending_delta: provider }, sizes: { factBytes: 1024 } };
    write('release.json', JSON.stringify(release));
    const evaluate = async (facts: object[]) => {
      write('facts.json', JSON.stringify({ facts }));
      const files = ['--policy', POLICY, '--facts', 'facts.json', '--config', 'release.json'];
      return runCli(folder, ['evaluate', ...files, '--at', at, '-o', 'json']);
    };
    expect((await evaluate(given('2026-11-23T09:59:55Z'))).code).toBe(0);
    const stale = await evaluate(given('2001-01-01T00:00:00Z'));
    expect([stale.code, stale.stdout]).toEqual([
      2,
      expect.stringContaining('Expected pending_delta to be at most 5s old'),
    ]);
    const big = await evaluate(given(at, 'x'.repeat(2_000)));
    expect([big.code, big.stdout]).toEqual([2, expect.stringContaining('has 2002 bytes as JSON, more than the 1024')]);
  });

  it('gate evaluate takes limits alone as the configuration', async () => {
    write('facts.json', JSON.stringify({ ...HEALTHY, max_pending: 3100 }));
    write('limits.json', '{"limits": {"maxDelta": 500, "maxPending": 5000}}');
    expect(
      (await runCli(folder, ['evaluate', '--policy', POLICY, '--facts', 'facts.json', '--config', 'limits.json'])).code,
    ).toBe(0);
  });

  it('gate evaluate evaluates within the memory that the configuration gives, when that is not the usual', async () => {
    write('facts.json', JSON.stringify(HEALTHY));
    for (const [memoryMiB, expected] of [
      [128, 0],
      [8, 2],
    ] as const) {
      // The attributes alone need more than 8 MiB.
      const attributes = JSON.stringify({ notes: 'x'.repeat(100_000).split('') });
      write('release.json', JSON.stringify({ limits: { maxDelta: 500, maxPending: 2000 }, evaluation: { memoryMiB } }));
      const { code } = await runCli(folder, [
        ...['evaluate', '--policy', POLICY, '--facts', 'facts.json'],
        ...['--config', 'release.json', '--attributes', attributes],
      ]);
      expect([memoryMiB, code]).toEqual([memoryMiB, expected]);
    }
  });

  it.each([
    [['--at', 'yesterday'], 'expected --at to be an RFC 3339 time such as 2026-11-23T10:00:00Z, got yesterday'],
    [['--attributes', '[1]'], 'expected --attributes to be a JSON object, got [1]'],
    [['--stage', 'a b'], 'expected --stage to match'],
    [['--collect'], 'give either --facts FILE or --collect'],
  ])('gate evaluate refuses %j', async (flags, said) => {
    write('facts.json', JSON.stringify(HEALTHY));
    const { code, stdout, stderr } = await runCli(folder, [
      'evaluate',
      '--policy',
      POLICY,
      '--facts',
      'facts.json',
      ...flags,
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`gate: ${said}`);
  });
});

describe('gate policy', () => {
  it('gate policy builds a bundle into place', async () => {
    const { code, stdout } = await runCli(folder, ['policy', 'build', POLICY, '--to', 'bundle.tar.gz', '-o', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ facts: ['max_pending', 'pending_delta', 'region_health'] });
    expect(readdirSync(folder)).toContain('bundle.tar.gz');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it.each([
    ['build', 'nowhere/out', 'its folder does not exist'],
    ['types', 'nowhere/out', 'its folder does not exist'],
    ['types', 'taken', 'it is a directory'],
  ])(
    'gate policy %s --to %s says why the file cannot be written, and leaves no part of it',
    async (command, to, why) => {
      mkdirSync(join(folder, 'taken'), { recursive: true });
      const { code, stdout, stderr } = await runCli(folder, ['policy', command, POLICY, '--to', to]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toBe(`gate: cannot write ${join(folder, to)}: ${why}\n`);
      expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    },
  );

  it('gate policy writes types to standard output, or to a file', async () => {
    const printed = await runCli(folder, ['policy', 'types', POLICY]);
    expect(printed.stdout).toContain('max_pending');
    await runCli(folder, ['policy', 'types', POLICY, '--to', 'facts.d.ts']);
    expect(readFileSync(join(folder, 'facts.d.ts'), 'utf8')).toBe(printed.stdout);
  });

  it.each([
    ['100', 0, 'coverage 100.0 % (at least 100 %)'],
    ['101', 2, 'expected --threshold to be 0 to 100, got 101'],
  ])('gate policy tests with the threshold %s', async (threshold, expected, said) => {
    const { code, stdout, stderr } = await runCli(folder, ['policy', 'test', POLICY, '--threshold', threshold]);
    expect(code).toBe(expected);
    expect(stdout + stderr).toContain(said);
  });
});

describe('with no Temporal to be found', () => {
  const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const CALL = ['--actor', 'ann', '--reason', 'r'];

  it.each([
    ['list'],
    ['status', 'a'],
    ['status', 'a', '--watch'],
    ['explain', 'a'],
    ['deploy', '--id', 'a', '--stage', 'a'],
    ['pause', '--all', ...CALL],
    ['pause', 'a', ...CALL],
    ['resume', 'a', ...CALL],
    ['abort', 'a', ...CALL],
    ['override', 'a', ...CALL],
    ['setup'],
    ['policy', 'status'],
    ['policy', 'reload'],
    ['rules', 'execute', '--operation', 'place_shard', ...CALL],
    ['rules', 'executions'],
    ['rules', 'executions', 'abort', 'a', ...CALL],
  ])('gate %s names the address, and why it cannot be reached', async (...args) => {
    const { code, stdout, stderr } = await runCli(folder, [...args, '-o', 'json'], env);
    const message = expect.stringContaining('Temporal at 127.0.0.1:1 cannot be reached: the connection was refused');
    expect({ code, stderr }).toEqual({ code: 2, stderr: message });
    const type = 'TemporalUnavailable';
    expect(JSON.parse(stdout)).toEqual({ error: { type, message, faults: [{ type, message }] } });
  });

  it('gate doctor says what is missing and what to do', async () => {
    const { code, stdout, stderr } = await runCli(folder, ['doctor', '-o', 'json'], env);
    expect(code).toBe(2);
    const { error, ...rest } = JSON.parse(stdout) as {
      error: { message: string; result: { findings: { what: string; state: string; advice?: string }[] } };
    };
    expect(rest).toEqual({});
    expect(error).toMatchObject({ type: 'NotFound', message: expect.stringContaining('temporal server') });
    expect(stderr).toBe(`gate: ${error.message}\n`);
    const { findings } = error.result;
    expect(findings.find(({ what }) => what === 'temporal server')).toMatchObject({
      state: 'missing',
      found: 'Temporal at 127.0.0.1:1 cannot be reached: the connection was refused',
      advice: expect.stringContaining('gate dev starts one'),
    });
  });

  it.each([
    [{ audit: { mask: ['/input/a'] } }, 'missing', 'no keys'],
    [{ temporal: { encryptionKeys: [{ id: 'k', key: { env: 'NO_KEY' } }] } }, 'missing', 'NO_KEY'],
    [{ temporal: { encryptionKeys: [{ id: 'k', key: { env: 'KEY' } }] } }, 'ok', '"k" encrypts'],
    [{}, 'ok', 'in the clear'],
  ])('gate doctor looks at the keys of %j', async (settings, state, found) => {
    const file = join(folder, 'keys.json');
    writeFileSync(file, JSON.stringify(settings));
    const vars = { ...env, KEY: 'ab'.repeat(32) };
    const { stdout } = await runCli(folder, ['doctor', '--settings', file, '-o', 'json'], vars);
    const { findings } = knownResult<{ findings: { what: string }[] }>(stdout);
    expect(findings.find(({ what }) => what === 'encryption')).toMatchObject({
      state,
      found: expect.stringContaining(found),
    });
  });

  it("a command means the server of Temporal's own variables even while gate dev runs", async () => {
    const dev = join(folder, 'planning-engine', 'dev');
    mkdirSync(dev, { recursive: true });
    writeFileSync(
      join(dev, 'settings.json'),
      JSON.stringify({ temporal: { address: '127.0.0.1:2', namespace: 'dev' } }),
    );
    writeFileSync(
      join(dev, 'addresses.json'),
      JSON.stringify({ pid: process.pid, settings: join(dev, 'settings.json'), uiUrl: 'http://127.0.0.1:3' }),
    );
    const io = { stdout: process.stdout, stderr: process.stderr, cwd: folder, signal: new AbortController().signal };
    expect(
      (await openLoadedSettings({ ...io, env: { XDG_DATA_HOME: folder, ...env } }, undefined)).settings.temporal
        .address,
    ).toBeUndefined();
    expect(
      (await openLoadedSettings({ ...io, env: { XDG_DATA_HOME: folder } }, undefined)).settings.temporal.address,
    ).toBe('127.0.0.1:2');
    const again = await runCli(folder, ['dev']);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('its Temporal UI is at http://127.0.0.1:3');
    rmSync(dev, { recursive: true });
  });
});
