import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ActionContext, ActionSpec } from '../../../../src/gate/actions/action';
import { ACTIONS } from '../../../../src/images/gating/all-actions';
import { noImages } from '../../../support/no-images';
import { noShards } from '../../../support/no-shards';
import { noNotices } from '../../../support/no-notices';
import { openActions } from '../../../../src/gate/actions/service/open-actions';
import type { JsonObject } from '../../../../src/kernel/json';
import { parseSettings } from '../../../../src/settings/load-settings';
import { startHttpReceiver, type HttpReceiver } from '../../../fakes/http-receiver';

const context: ActionContext = {
  deployment_id: 'fw',
  stage: 'canary',
  stage_index: 0,
  attributes: {},
  stage_attributes: {},
  decision_id: 'd-1',
};
let receiver: HttpReceiver;
let folder: string;
beforeEach(async () => {
  receiver = await startHttpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'actions-'));
});
afterEach(async () => {
  await receiver.close();
  rmSync(folder, { recursive: true });
});

/** jest's sandbox lacks `import()`; Node's own `require` loads the same CommonJS modules. */
const importModule = async (url: string): Promise<unknown> => ({
  default: createRequire(__filename)(fileURLToPath(url)),
});
const open = (actions: JsonObject, env: Record<string, string> = {}) =>
  openActions(
    { settings: parseSettings({ actions }, { file: 'settings' }, folder), baseDir: folder },
    { env, importModule, registry: ACTIONS, notices: noNotices, replicateImage: noImages, changeShard: noShards },
  );
const run = async (actions: JsonObject, spec: ActionSpec, env: Record<string, string> = {}) =>
  (await open(actions, env)).run(spec, context, { idempotencyKey: 'k', signal: new AbortController().signal });
const post = (url: string, secret = 'token'): ActionSpec => ({
  type: 'http',
  method: 'POST',
  url,
  headers: { Authorization: { secret } },
});

describe('the secrets that deployment files may use', () => {
  it('goes to the hosts that the settings name, from a variable or a file', async () => {
    const hosts = [new URL(receiver.url).host];
    writeFileSync(join(folder, 'token'), 'from a file\n');
    await run({ secrets: { token: { env: 'TOKEN', hosts } } }, post(receiver.url), { TOKEN: 'from a variable' });
    await run({ secrets: { token: { file: 'token', hosts } } }, post(receiver.url));
    expect(receiver.requests.map(({ headers }) => headers.authorization)).toEqual(['from a variable', 'from a file']);
  });

  it.each<[string, string[]]>([
    ['another host', ['example.test']],
    ['the host at another port', ['127.0.0.1']],
  ])('goes nowhere when the settings name %s', async (_what, hosts) => {
    const running = run({ secrets: { token: { env: 'TOKEN', hosts } } }, post(receiver.url), { TOKEN: 's3cret' });
    await expect(running).rejects.toMatchObject({
      message: `Expected the secret token to be sent to ${hosts.join()} alone (actions.secrets.token.hosts), but the request goes to ${new URL(receiver.url).host}`,
      mayHaveBeenSent: false,
      retryable: false,
    });
    expect(receiver.requests).toEqual([]);
  });

  it('a redirect does not carry it to another host', async () => {
    const other = await startHttpReceiver();
    receiver.answers.push({ status: 307, headers: { location: other.url } });
    const secrets = { token: { env: 'TOKEN', hosts: [new URL(receiver.url).host] } };
    await expect(run({ secrets }, post(receiver.url), { TOKEN: 's3cret' })).rejects.toThrow('got 307');
    expect(other.requests).toEqual([]);
    await other.close();
  });

  it.each<[string, ActionSpec, RegExp]>([
    ['an unknown name', post('http://127.0.0.1:2/', 'tokne'), /a secret named "tokne" .*there are token/],
    ['a name that every object has', post('http://127.0.0.1:2/', 'constructor'), /a secret named "constructor"/],
    ['a variable that is not set', post('http://127.0.0.1:2/'), /variable TOKEN, but it is not set/],
  ])('%s is an error before the request', async (_what, spec, message) => {
    const secrets = { token: { env: 'TOKEN', hosts: ['127.0.0.1:2'] } };
    await expect(run({ secrets }, spec)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      mayHaveBeenSent: false,
    });
  });

  it('a value that no header can carry is an error that does not show it', async () => {
    const secrets = { token: { env: 'TOKEN', hosts: [new URL(receiver.url).host] } };
    const error: unknown = await run({ secrets }, post(receiver.url), { TOKEN: 'a\nb s3cret' }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ mayHaveBeenSent: false });
    expect(JSON.stringify({ ...(error as Error), message: (error as Error).message })).not.toContain('s3cret');
  });
});

describe('the modules that deployment files may use', () => {
  const spec: ActionSpec = { type: 'module', name: 'flip', options: { to: '{{ stage }}' } };
  const module = (text: string) => writeFileSync(join(folder, 'flip.cjs'), text);

  it('runs with the options of the settings and of the action', async () => {
    module(
      'exports.createAction = (name, { unit }) => ({ run: async ({ options }) => ({ summary: name + " " + options.to + " " + unit }) });',
    );
    const modules = { flip: { module: './flip.cjs', options: { unit: 'devices' } } };
    expect(await run({ modules }, spec)).toEqual({ summary: 'flip canary devices' });
  });

  it.each([
    ['exports something else', 'exports.create = () => ({});', 'it does not'],
    ['returns nothing that runs', 'exports.createAction = () => ({});', 'no run function'],
    [
      'has a compensate that is no function',
      'exports.createAction = () => ({ run() {}, compensate: 1 });',
      'no function',
    ],
    ['throws', 'throw new Error("boom");', 'boom'],
  ])('a module that %s is refused when the worker starts', async (_what, text, message) => {
    module(text);
    await expect(
      open({ modules: { flip: { module: './flip.cjs' }, flop: { module: './none.cjs' } } }),
    ).rejects.toMatchObject({
      type: 'ConfigInvalid',
      faults: [
        { message: expect.stringContaining(message) },
        {
          message: `Expected actions.modules.flop.module './none.cjs' to export createAction(name, options): there is no module at ${join(folder, 'none.cjs')}`,
          where: 'actions.modules.flop.module',
        },
      ],
    });
  });
});
