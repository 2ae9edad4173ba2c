import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pack } from 'tar-stream';
import { eventually } from '../../support/eventually';
import { cachedToolPath, locateTool } from '../../../src/platform/tools/find-tool';
import { PINNED_MODULES } from '../../../src/platform/tools/pinned-digests';

const OPA = '#!/bin/sh\necho "Version: 1.22.2"\n';
const OLD_OPA = '#!/bin/sh\necho "Version: 0.70.0"\n';
const TEMPORAL = '#!/bin/sh\necho "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"\n';
const LINUX = { platform: 'linux', arch: 'x64' };
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('finding a tool', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let said: string[];
  let server: Server;
  let served: Record<string, string | Buffer>;
  /** where a path leads instead */
  let moved: Record<string, string>;
  let digests: Record<string, string>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-tools-'));
    said = [];
    served = {};
    moved = {};
    digests = {};
    server = createServer((request, response) => {
      const location = moved[request.url ?? ''];
      if (location !== undefined) return void response.writeHead(302, { location }).end();
      const body = served[request.url ?? ''];
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    env = {
      XDG_CACHE_HOME: join(folder, 'cache'),
      PATH: join(folder, 'bin'),
      PLANNING_ENGINE_OPA_URL: url,
      PLANNING_ENGINE_TEMPORAL_URL: url,
    };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  const executable = (path: string, text: string): string => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  };
  const options = () => ({
    env,
    say: (line: string) => void said.push(line),
    platform: LINUX,
    connectTimeoutMs: 60_000,
    digests,
  });
  const onPath = (name: string, text: string): string => executable(join(folder, 'bin', name), text);
  const inCache = (): string => executable(cachedToolPath('opa', env), OPA);
  const publish = (binary: string, digest = sha256(binary)): void => {
    served['/opa_linux_amd64_static'] = binary;
    digests.opa_linux_amd64_static = digest;
  };
  /** A stand-in for the Go toolchain: "builds" `binary`, and counts its runs. */
  const fakeGo = (binary: string, sum = PINNED_MODULES['github.com/open-policy-agent/opa@v1.22.2']): void => {
    const built = executable(join(folder, 'built'), binary);
    onPath(
      'go',
      `#!/bin/sh\necho "$@" >> ${folder}/go.log\n[ "$1" = mod ] && echo '{ "Sum": "${sum}" }' && exit\n/bin/cp ${built} "$GOBIN/opa"\n`,
    );
  };

  it('the tool finder takes what the environment variable names before anything else', async () => {
    onPath('opa', OPA);
    env.PLANNING_ENGINE_OPA = executable(join(folder, 'mine'), OPA);
    const path = join(folder, 'mine');
    expect(await locateTool('opa', options())).toEqual({ path, version: '1.22.2', from: 'PLANNING_ENGINE_OPA' });
    expect(said).toEqual([]);
  });

  it('the tool finder takes another version that the environment variable asks for, with a note', async () => {
    env.PLANNING_ENGINE_OPA = executable(join(folder, 'mine'), OLD_OPA);
    expect((await locateTool('opa', options())).version).toBe('Version: 0.70.0');
    expect(said[0]).toContain('expected version 1.22.2, got Version: 0.70.0');
  });

  it('the tool finder refuses an environment variable that names no executable', async () => {
    env.PLANNING_ENGINE_OPA = join(folder, 'nowhere');
    await expect(locateTool('opa', options())).rejects.toThrow(/PLANNING_ENGINE_OPA to name an executable/);
  });

  it('the tool finder takes the right version from the PATH before the cache', async () => {
    inCache();
    const path = onPath('opa', OPA);
    expect(await locateTool('opa', options())).toEqual({ path, version: '1.22.2', from: 'PATH' });
  });

  it('the tool finder passes over a wrong version on the PATH and takes the cache', async () => {
    onPath('opa', OLD_OPA);
    const path = inCache();
    expect(await locateTool('opa', options())).toEqual({ path, version: '1.22.2', from: 'cache' });
  });

  it('the tool finder downloads the binary, compares it with the digest that is pinned and keeps it in the cache', async () => {
    publish(OPA);
    const path = cachedToolPath('opa', env);
    expect(await locateTool('opa', options())).toEqual({ path, version: '1.22.2', from: 'download' });
    expect(readdirSync(dirname(path))).toEqual(['opa']);
    expect((await locateTool('opa', options())).from).toBe('cache');
  });

  it('the tool finder unpacks a tool that is published as an archive', async () => {
    const archive = pack();
    archive.entry({ name: 'LICENSE' }, 'text');
    archive.entry({ name: 'wrapped/temporal' }, TEMPORAL);
    archive.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of archive) chunks.push(chunk as Buffer);
    const name = 'temporal_cli_1.5.1_linux_amd64.tar.gz';
    served[`/${name}`] = gzipSync(Buffer.concat(chunks));
    digests[name] = sha256(served[`/${name}`] ?? '');
    const found = await locateTool('temporal', options());
    expect(found.from).toBe('download');
    expect(readFileSync(found.path, 'utf8')).toBe(TEMPORAL);
  });

  it('the tool finder never uses a download with another digest, and builds from source instead', async () => {
    publish(OPA, 'a'.repeat(64));
    fakeGo(OPA);
    expect((await locateTool('opa', options())).from).toBe('go install');
    expect(said.join('\n')).toMatch(/expected SHA-256 a{64}, got [0-9a-f]{64}/);
    expect(readFileSync(join(folder, 'go.log'), 'utf8')).toBe(
      'mod download -json github.com/open-policy-agent/opa@v1.22.2\ninstall -trimpath github.com/open-policy-agent/opa@v1.22.2\n',
    );
  });

  it('the tool finder installs once when two look for it at the same time', async () => {
    fakeGo(OPA);
    const found = await Promise.all([locateTool('opa', options()), locateTool('opa', options())]);
    expect(found.map(({ from }) => from).sort()).toEqual(['cache', 'go install']);
    expect(readFileSync(join(folder, 'go.log'), 'utf8').match(/^install/gm)).toHaveLength(1);
    expect(said.join('\n')).toContain(`waiting for process ${process.pid}`);
  });

  it('the tool finder takes over the lock of a process that is no more', async () => {
    fakeGo(OPA);
    const lock = `${cachedToolPath('opa', env)}.lock`;
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, '2147483646\n');
    expect((await locateTool('opa', options())).from).toBe('go install');
    expect(existsSync(lock)).toBe(false);
  });

  it('the tool finder names everything that was tried when nothing works, and leaves nothing half done', async () => {
    onPath('opa', OLD_OPA);
    const attempt = locateTool('opa', { ...options(), platform: { platform: 'sunos', arch: 'x64' } });
    const message = await attempt.catch((error: Error) => error.message);
    expect(message).toMatch(/PLANNING_ENGINE_OPA is not set/);
    expect(message).toMatch(/passed over .*bin\/opa: expected version 1.22.2, got Version: 0.70.0/);
    expect(message).toMatch(/cache: no /);
    expect(message).toMatch(/download: nothing is published for sunos x64/);
    expect(message).toMatch(/go install: no Go toolchain on the PATH/);
    expect(readdirSync(dirname(cachedToolPath('opa', env)))).toEqual([]);
  });

  it.each([
    ['its digest is not pinned', (): void => undefined, /not pinned; PLANNING_ENGINE_OPA_SHA256 gives it/],
    ['it is not there', () => void (digests.opa_linux_amd64_static = 'a'.repeat(64)), /amd64_static: status 404/],
    [
      'its URL is plain http',
      () => {
        publish(OPA);
        env.PLANNING_ENGINE_OPA_URL = 'http://releases.example';
      },
      /releases\.example\/opa_linux_amd64_static: expected an https URL/,
    ],
    [
      'it is redirected to plain http',
      () => {
        publish(OPA);
        moved['/opa_linux_amd64_static'] = 'http://releases.example/opa';
      },
      /expected a redirect to https, got one to http:\/\/releases\.example/,
    ],
    [
      'it is redirected for ever',
      () => {
        publish(OPA);
        moved['/opa_linux_amd64_static'] = '/opa_linux_amd64_static';
      },
      /more than 5 redirects/,
    ],
    [
      'the binary is of another version',
      () => publish(OLD_OPA),
      /download: expected version 1.22.2, got Version: 0.70/,
    ],
  ])('the tool finder does not use a download when %s', async (_case, arrange, expected) => {
    arrange();
    await expect(locateTool('opa', options())).rejects.toThrow(expected);
  });

  it('the tool finder follows redirects, and takes a digest that the user gives', async () => {
    publish(OPA);
    delete digests.opa_linux_amd64_static;
    env.PLANNING_ENGINE_OPA_SHA256 = sha256(OPA).toUpperCase();
    served['/elsewhere'] = OPA;
    moved['/opa_linux_amd64_static'] = '/elsewhere';
    expect((await locateTool('opa', options())).from).toBe('download');
  });

  it('the tool finder builds no module but the one whose sum is pinned', async () => {
    fakeGo(OPA, `h1:${'A'.repeat(43)}=`);
    await expect(locateTool('opa', options())).rejects.toThrow(
      /opa@v1\.22\.2: expected the sum h1:WzqR.*, got h1:AAAA/,
    );
    expect(readFileSync(join(folder, 'go.log'), 'utf8')).not.toMatch(/install/);
  });

  it('the tool finder continues when the publisher does not answer in time', async () => {
    publish(OPA);
    server.removeAllListeners('request');
    fakeGo(OPA);
    const found = await locateTool('opa', { ...options(), connectTimeoutMs: 20 });
    expect(found.from).toBe('go install');
    expect(said).toEqual([
      'opa 1.22.2 (the compiler of Rego policies) is not on this machine yet: it is installed once, into the cache folder',
      expect.stringContaining('opa: downloading 1.22.2 from '),
      expect.stringContaining('no answer within 20 ms'),
      expect.stringMatching(/opa: building .* with go install instead; that takes about 75 seconds on 2 cores, once$/),
    ]);
  });

  it('the tool finder kills a build with all that it started when it is stopped, and leaves nothing half done', async () => {
    const pids = join(folder, 'pids');
    onPath('go', `#!/bin/sh\n/bin/sleep 600 &\necho $! $$ > ${pids}\nwait\n`);
    const stop = new AbortController();
    const finding = locateTool('opa', { ...options(), signal: stop.signal });
    await eventually('the build', () => existsSync(pids) && readFileSync(pids, 'utf8').endsWith('\n'));
    stop.abort();
    await expect(finding).rejects.toMatchObject({ name: 'AbortError' });
    for (const pid of readFileSync(pids, 'utf8').trim().split(' ')) {
      await eventually(
        'its end',
        () => !existsSync(`/proc/${pid}/cmdline`) || readFileSync(`/proc/${pid}/cmdline`).length === 0,
      );
    }
    expect(readdirSync(dirname(cachedToolPath('opa', env)))).toEqual([]);
  });

  it('the tool finder says what Go said when it fails', async () => {
    onPath('go', '#!/bin/sh\necho "module lookup disabled" >&2\nexit 1\n');
    await expect(locateTool('opa', options())).rejects.toThrow(/ended with exit code 1: module lookup disabled/);
  });
});
