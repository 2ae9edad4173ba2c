import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openImages } from '../../../src/images/service/open-images';
import { runSync, type SyncReport } from '../../../src/images/sync/run-sync';
import { encryptSecret, writeIdentity } from '../../../src/platform/files/encrypt-text';
import { loadSettings } from '../../../src/settings/load-settings';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage, type SampleImage } from '../../support/oci-registry/sample-image';
import { runCli } from '../run-cli';

interface Called {
  path: string;
  key: string;
  token: string | undefined;
  body: { event: string; run: string; policy: string; source: string; digest: string; target: string };
  /** requests that the target had had by then */
  asked: string[];
}

describe('hooks', () => {
  let folder: string;
  let source: OciRegistry;
  let target: OciRegistry;
  let server: Server;
  let url: string;
  let called: Called[];
  /** statuses of the next answers; then 204 */
  let statuses: number[];
  let image: SampleImage;
  /** of the settings */
  let secrets: object;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-images-hooks-'));
    [called, statuses, secrets] = [[], [], {}];
    [source, target] = await Promise.all([startOciRegistry(), startOciRegistry()]);
    image = sampleImage();
    pushImage(source, 'team/app', image, 'v1');
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { headers, url: path = '' } = request;
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Called['body'];
        const key = String(headers['idempotency-key']);
        called.push({ path, key, token: headers.authorization, body, asked: [...target.asked] });
        response.writeHead(statuses.shift() ?? 204, { connection: 'close', 'retry-after': '0' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([source.stop(), target.stop(), new Promise((resolve) => server.close(resolve))]);
  });

  function settle(hooks: object, actions?: object[]): string {
    const registries = {
      hub: { host: source.host, plainHttp: true },
      mirror: { host: target.host, plainHttp: true },
    };
    const policy = {
      id: 'all',
      name: 'All',
      hooks,
      source: { registry: 'hub', repositories: ['team/app'] },
      actions: actions ?? [{ type: 'replicate', target_registry: 'mirror' }],
    };
    const named = { TOKEN: { env: 'HOOK_TOKEN' }, URL: { env: 'HOOK_URL' }, NONE: { env: 'NONE' } };
    const file = join(folder, 's.json');
    writeFileSync(
      file,
      JSON.stringify({ policy: { enabled: true, policies: [policy], secrets: named }, registries, secrets }),
    );
    return file;
  }
  async function sync(hooks: object): Promise<SyncReport> {
    const env = { HOOK_TOKEN: 'Bearer hidden', HOOK_URL: `${url}/hidden` };
    const images = openImages(await loadSettings(settle(hooks), {}, folder), { env });
    try {
      return await runSync(await images.context(), { hooks: { run: 'run-1', hooks: images.hooks } });
    } finally {
      await images.close();
    }
  }
  const all = () => ({
    before: [{ url: `${url}/before` }],
    after: [{ url: `${url}/after` }],
    unchanged: [{ url: `${url}/unchanged` }],
  });
  const isSent = ({ asked }: Called) => asked.some((one) => /^(POST|PUT) /.test(one));
  const isTagged = ({ asked }: Called) => asked.includes('PUT /v2/team/app/manifests/v1');

  it('are called before anything is sent, once the tag is moved, and where the target has the image', async () => {
    expect((await sync(all())).totals).toMatchObject({ tagsCopied: 1, errors: 0 });
    const copy = {
      run: 'run-1',
      policy: 'all',
      source: `${source.host}/team/app:v1`,
      digest: image.manifest.digest,
      target: `${target.host}/team/app:v1`,
    };
    expect(called.map(({ path, body }) => [path, body])).toEqual([
      ['/before', { event: 'before', ...copy }],
      ['/after', { event: 'after', ...copy }],
    ]);
    expect(called.map(isSent)).toEqual([false, true]);
    expect(called.map(isTagged)).toEqual([false, true]);
    called = [];
    expect((await sync(all())).totals).toMatchObject({ tagsCopied: 0, tagsSkipped: 1 });
    expect(called.map(({ path, body }) => [path, body.event])).toEqual([['/unchanged', 'unchanged']]);
  });

  it('are called again after a failure that may pass, with the same key', async () => {
    statuses = [503, 429];
    expect((await sync({ before: [{ url: `${url}/a` }, { url: `${url}/b` }] })).totals).toMatchObject({
      tagsCopied: 1,
    });
    expect(called.map(({ path }) => path)).toEqual(['/a', '/a', '/a', '/b']);
    expect(new Set(called.map(({ key }) => key)).size).toBe(2);
    expect(called[0]!.key).toBe(called[2]!.key);
  });

  it('one that fails before the copy prevents it; one after it is an error of the image', async () => {
    statuses = [400];
    const prevented = await sync(all());
    expect(prevented.images).toMatchObject([
      {
        status: 'failed',
        errors: [{ code: 'ACTION_EXEC_ERROR', policyId: 'all', cause: 'the hook before 1 of all: answered 400' }],
      },
    ]);
    expect(target.content.open('team/app').tags.size).toBe(0);
    statuses = [204, 500, 500, 500];
    const late = await sync(all());
    expect(late.images).toMatchObject([{ status: 'failed', targets: [{ outcome: 'copied' }] }]);
    expect(late.totals).toMatchObject({ tagsCopied: 1, errors: 1 });
    expect(target.content.open('team/app').tags.get('v1')).toBe(image.manifest.digest);
  });

  it('take addresses and headers from secrets, which no report shows', async () => {
    const hook = { url: 'secret:URL', headers: { Authorization: 'secret:TOKEN' } };
    statuses = [204, 400];
    const report = await sync({ before: [hook], after: [hook] });
    expect(called.map(({ path, token }) => [path, token])).toEqual([
      ['/hidden', 'Bearer hidden'],
      ['/hidden', 'Bearer hidden'],
    ]);
    expect(report.totals.errors).toBe(1);
    expect(JSON.stringify(report)).not.toContain('hidden');
    const missing = await sync({ unchanged: [{ ...hook, url: 'secret:NONE' }] });
    expect(missing.images[0]?.reason).toBe(
      'the hook unchanged 1 of all: Expected a secret in environment variable NONE, but it is not set or empty',
    );
  });

  it('take what is encrypted in the policy, and say without it why it cannot be decrypted', async () => {
    const identityFile = join(folder, 'identity.txt');
    const mine = await writeIdentity(identityFile);
    const others = await writeIdentity(join(folder, 'other.txt'));
    const encrypt = (text: string, recipient: string) => encryptSecret(Buffer.from(text), [recipient]);
    const hook = {
      url: await encrypt(`${url}/hidden`, mine),
      headers: { Authorization: await encrypt('hidden', mine) },
    };
    secrets = { identityFile };
    expect((await sync({ before: [hook] })).totals).toMatchObject({ tagsCopied: 1, errors: 0 });
    expect(called.map(({ path, token }) => [path, token])).toEqual([['/hidden', 'hidden']]);
    const refused = await sync({ unchanged: [{ url: await encrypt(`${url}/hidden`, others) }] });
    expect(refused.images[0]?.reason).toBe(
      `the hook unchanged 1 of all: The encrypted value: expected a value that is encrypted for an identity in ${identityFile}, but it is for others`,
    );
    expect(called).toHaveLength(1);
  });

  it('are not called in a dry run', async () => {
    const dryRun = await runCli(folder, ['images', 'sync', '--dry-run', '--settings', settle(all())]);
    expect([dryRun.code, called]).toEqual([0, []]);
  });

  it.each([
    [{ before: [{ url: 'ftp://x.example' }] }, 'expected an address'],
    [{ before: [{ url: 'https://ann:secret@x.example' }] }, 'expected an address'],
    [{ before: [{ url: 'age:AAAA' }] }, 'expected an encrypted value of age, version 1'],
    [{ before: [{ url: 'secret:MISSING' }] }, 'expected a secret of policy.secrets, got MISSING'],
    [{ after: [{ url: 'https://x.example', headers: { Authorization: 'Bearer x' } }] }, 'expected no credential'],
    [{ after: [{ url: 'https://x.example', headers: { 'a b': 'x' } }] }, 'a b'],
    [{ later: [] }, 'later'],
  ])('refuses %j', async (hooks, sentence) => {
    const { code, stderr } = await runCli(folder, ['images', 'sync', '--dry-run', '--settings', settle(hooks)]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });

  it('a policy that copies nothing has none', async () => {
    const args = ['images', 'sync', '--dry-run', '--settings', settle(all(), [{ type: 'block' }])];
    expect(await runCli(folder, args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected a replicate action'),
    });
  });
});
