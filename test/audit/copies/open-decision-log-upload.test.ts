import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { parseSettings } from '../../../src/settings/load-settings';
import { openDecisionLogUpload } from '../../../src/audit/copies/open-decision-log-upload';
import { createServices, type Services } from '../../../src/gate/services';
import { aRecord } from '../a-record';
import { startHttpReceiver, type HttpReceiver } from '../../fakes/http-receiver';
import { eventually } from '../../support/eventually';

let folder: string;
let server: HttpReceiver;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-upload-'));
  server = await startHttpReceiver();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const settingsWith = (upload: object | undefined, audit: object = {}) => ({
  settings: parseSettings({ audit: { ...audit, upload } } as never, { file: 'settings.json' }, folder),
  baseDir: folder,
});
const silent = () => undefined;
const options = {
  metrics: { written: silent, failed: silent, waiting: silent },
  logger: { warn: silent, error: silent },
};
const open = (upload: object | undefined, env = {}) => openDecisionLogUpload(settingsWith(upload), env, options);

describe('the upload that the settings name', () => {
  it('the upload that the settings name is none where they name none', async () => {
    expect(await open(undefined)).toBeUndefined();
  });

  it('the upload that the settings name waits in the folder of the settings, relative to their file, and takes the token from where it is kept', async () => {
    writeFileSync(join(folder, 'token'), 'from-a-file\n');
    const upload = await open({ url: server.url, folder: 'waiting', bearerToken: { file: 'token' } });
    await upload!.write(aRecord());
    await eventually('the event', () => server.requests.length === 1);
    expect(server.requests[0]!.headers.authorization).toBe('Bearer from-a-file');
    await upload!.close();
    expect(existsSync(join(folder, 'waiting'))).toBe(true);
  });

  it('the upload that the settings name waits in the user’s data folder otherwise', async () => {
    const upload = await open({ url: server.url }, { XDG_DATA_HOME: join(folder, 'data') });
    expect(readdirSync(join(folder, 'data', 'planning-engine'))).toEqual(['decision-logs']);
    await upload!.close();
  });

  it.each([
    ['ftp://host/logs', 'Expected audit.upload.url to be an http:// or https:// URL'],
    ['http://', 'Expected audit.upload.url to be an http:// or https:// URL'],
    [
      'https://ann:secret@host/logs',
      'Expected audit.upload.url to hold no user and no password: a secret belongs in audit.upload.bearerToken',
    ],
  ])('the upload that the settings name refuses %s', async (url, message) => {
    await expect(open({ url, folder: 'waiting' })).rejects.toMatchObject({ type: 'ConfigInvalid', message });
  });
});

describe('a worker whose decisions are uploaded', () => {
  let services: Services | undefined;
  afterEach(() => services?.close());

  const store = { folder: 'store' };
  const start = (upload: object) =>
    createServices(settingsWith(upload, { store, stdout: false }), {
      env: { XDG_CACHE_HOME: join(folder, 'cache') },
      logger: pino({ enabled: false }),
    });

  it('a worker whose decisions are uploaded counts a record as written when it stands in the store and waits for its upload', async () => {
    services = await start({ url: `${server.url}/logs`, folder: 'waiting' });
    const record = aRecord();
    expect(await services.audit.record(record)).toEqual(record);
    await eventually('the event', () => server.requests.length === 1);
    await eventually('the counts', async () => {
      const metrics = await services!.registry.metrics();
      expect(metrics).toContain('gate_audit_writes_total{sink="upload"} 1');
      expect(metrics).toContain('gate_audit_waiting_bytes{sink="upload"} 0');
      return true;
    });
  });

  it('a worker whose decisions are uploaded records nothing more when too much waits', async () => {
    await server.close();
    services = await start({ url: server.url, folder: 'waiting', maxWaitingBytes: 1_024 });
    await services.audit.record(aRecord());
    await expect(services.audit.record(aRecord())).rejects.toMatchObject({ type: 'AuditWriteFailed' });
    server = await startHttpReceiver();
  });
});
