import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { quoted, toCommandJson } from '../../src/cli/command-json';
import { snakeCase } from '../../src/kernel/snake-case';
import { statusResult } from '../../src/cli/deployments/status-result';
import { Results } from '../../src/cli/results';
import { aDecision, aStatus } from '../gate/deployments/a-status';
import { everyCommand } from './every-command';
import { runCli } from './run-cli';

const POLICY = join(__dirname, '..', '..', 'policy');
const CONFIG = join(__dirname, '..', '..', 'configs', 'examples', 'release.json');

interface Failed {
  error: { type: string; message: string; faults: { type: string; message: string }[] };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-json-'));
  writeFileSync(join(folder, 'calm.json'), JSON.stringify(facts(100)));
  writeFileSync(join(folder, 'busy.json'), JSON.stringify(facts(9000)));
  writeFileSync(join(folder, 'few.json'), JSON.stringify({ pending_delta: 1 }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const facts = (pending: number) => ({
  pending_delta: 100,
  max_pending: pending,
  region_health: { euWest: { status: 'green' } },
});

/** Keys of a document that a command made itself: what stands below the names of documents is not looked at. */
function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== 'object' || value === null) return [];
  const documents = ['value', 'input', 'calm_input', 'to', 'reasons', 'causes'];
  return Object.entries(value).flatMap(([key, child]) => [key, ...(documents.includes(key) ? [] : keysOf(child))]);
}

describe('-o json', () => {
  it('every command tells of a wrong option in JSON, and on stderr; one without JSON on stderr alone', async () => {
    for (const { words, command } of await everyCommand(folder)) {
      const { code, stdout, stderr } = await runCli(folder, [...words, '--no-such-option', '-o', 'json']);
      expect({ words, code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('error: ') });
      const formats = command.options.find(({ long }) => long === '--output')?.argChoices;
      if (formats !== undefined && !formats.includes('json')) expect({ words, stdout }).toEqual({ words, stdout: '' });
      else {
        const { error } = JSON.parse(stdout) as Failed;
        expect({ words, error }).toMatchObject({ error: { type: 'Usage' } });
        expect(error.faults).toEqual([{ type: 'Usage', message: error.message }]);
      }
    }
  });

  it.each([
    [['nothing-of-ours', '-o', 'json'], 'Usage', /unknown command/],
    [['status', 'a', '-ojson', '--every', 'x'], 'Usage', /Expected a duration/],
    [['status', '--output=json'], 'Usage', /missing required argument/],
    [['evaluate', '--policy', 'p', '-o', 'json'], 'Usage', /either --facts FILE or --collect/],
    [['evaluate', '--policy', 'p', '--facts', 'gone.json', '-o', 'json'], 'ConfigInvalid', /gone\.json/],
    [['list', '-o', 'json'], 'TemporalUnavailable', /127\.0\.0\.1:1/],
    [['images', 'diff', '127.0.0.1:1/a', '127.0.0.1:1/b', '-o', 'json'], 'RegistryUnavailable', /127\.0\.0\.1:1/],
    [['replay', '--config', CONFIG, '--policy', POLICY, '--from', 'none.jsonl', '-o', 'json'], 'ConfigInvalid', /none/],
  ])('gate %j prints an error of type %s', async (argv, type, message) => {
    const { code, stdout, stderr } = await runCli(folder, argv, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    const { error } = JSON.parse(stdout) as Failed;
    expect({ code, error }).toMatchObject({ code: 2, error: { type, message: expect.stringMatching(message) } });
    expect(Object.keys(error)).toEqual(['type', 'message', 'faults']);
    expect(error.faults.length).toBeGreaterThan(0);
    expect(stderr).not.toBe('');
  });

  it.each([
    [['policy', 'build', POLICY, '--to', 'b.tar.gz'], 0],
    [['policy', 'fmt', POLICY, '--check'], 0],
    [['policy', 'test', POLICY], 0],
    [['policy', 'check', POLICY, '--config', CONFIG, '--fuzz', '1s'], 0],
    [['policy', 'diff', POLICY, POLICY, '--cases', '20'], 0],
    [['evaluate', '--policy', POLICY, '--facts', 'calm.json', '--explain'], 0],
    [['evaluate', '--policy', POLICY, '--facts', 'busy.json'], 1],
    [['evaluate', '--policy', POLICY, '--facts', 'few.json'], 2],
    [['audit', 'setup'], 0],
    [['doctor'], 2],
  ])('gate %j has keys in snake_case, and ends with %i', async (argv, expected) => {
    const { code, stdout } = await runCli(folder, [...argv, '-o', 'json'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    const result = JSON.parse(stdout) as object;
    expect({ code, error: 'error' in result }).toEqual({ code: expected, error: expected === 2 });
    expect(keysOf(result).filter((key) => !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(key))).toEqual([]);
  });

  it('the values of facts are JSON with their own keys; one that was cut is shown by its beginning', () => {
    const fact = { ageMs: 5, source: 's' };
    const lastDecision = {
      ...aDecision(),
      facts: [
        { id: 'a', value: '{"euWest":{"isUp":true}}', ...fact },
        { id: 'b', value: '"text"', ...fact },
        { id: 'c', value: '{"many":[1,2…', ...fact },
      ],
    };
    const rest = { age_ms: 5, source: 's' };
    expect(toCommandJson(statusResult(aStatus({ lastDecision })))).toMatchObject({
      deployment_id: 'd1',
      last_decision: {
        facts: [
          { id: 'a', value: { euWest: { isUp: true } }, ...rest },
          { id: 'b', value: 'text', ...rest },
          { id: 'c', shown: '{"many":[1,2…', ...rest },
        ],
      },
    });
  });

  it.each([
    ['deploymentId', 'deployment_id'],
    ['decisionID', 'decision_id'],
    ['policySHA256', 'policy_sha256'],
    ['nextAskAtMs', 'next_ask_at_ms'],
    ['newly-allowed', 'newly_allowed'],
    ['already_so', 'already_so'],
  ])('the key %s becomes %s', (key, expected) => expect(snakeCase(key)).toBe(expected));

  it('a quoted document keeps its keys, and what is undefined is left out', () => {
    expect(toCommandJson({ aKey: quoted({ bKey: 1 }), gone: undefined, listOf: [{ cKey: null }] })).toEqual({
      a_key: { bKey: 1 },
      list_of: [{ c_key: null }],
    });
  });
});

describe('what is printed at the end', () => {
  const failure = { type: 'Usage', message: 'm', faults: [{ type: 'Usage', message: 'm' }] } as const;
  it.each([
    [1, { stateNow: 'x' }, { state_now: 'x' }],
    [3, { stateNow: 'x' }, { state_now: 'x' }],
    [4, { stateNow: 'x' }, { state_now: 'x' }],
    [2, { stateNow: 'x' }, { error: { ...failure, result: { state_now: 'x' } } }],
    [2, [1], { error: { ...failure, result: [1] } }],
    [2, undefined, { error: failure }],
    [4, undefined, { error: failure }],
  ] as const)('with exit code %i and the result %j it is %j', (code, result, expected) => {
    let printed = '';
    const results = new Results((text) => (printed += text));
    if (result !== undefined) results.set(result);
    results.finish(code, failure, true);
    expect(JSON.parse(printed)).toEqual(expected);
  });
});
