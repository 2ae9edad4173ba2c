import { randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const TLS = join(__dirname, '..', 'fixtures', 'tls');
const ISSUER = 'tests';
const SERVICE = 'registry';
/** What registries of the distribution project add to the end of a token. */
const LEEWAY_SECONDS = 60;

/** A token server of its own for registries of the distribution project: JSON Web Tokens by Docker's token specification. */
export interface TokenServer {
  /** `auth` of the registry's settings */
  auth: object;
  /** the tokens that it gave, with what they are for; those of pushes end after two seconds, and say that they last */
  given: { scope: string; token: string }[];
  /** from now on no credentials are good */
  refuse(): void;
  stop(): Promise<void>;
}

export async function startTokenServer(login: { username: string; password: string }): Promise<TokenServer> {
  const given: TokenServer['given'] = [];
  let refuses = false;
  const expected = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const server = createServer((request, response) => {
    if (refuses || request.headers.authorization !== expected) {
      response.writeHead(401).end();
      return;
    }
    const scopes = new URL(request.url ?? '/', 'http://tokens').searchParams.getAll('scope');
    const scope = scopes.join(' ');
    const token = createToken(scopes, scope.includes('push') ? 2 : 300);
    given.push({ scope, token });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: 300 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  const rootcertbundle = join(TLS, 'ca.pem');
  return {
    auth: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle } },
    given,
    refuse: () => void (refuses = true),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function createToken(scopes: readonly string[], lifeSeconds: number): string {
  const certificate = readFileSync(join(TLS, 'server.pem'), 'utf8').replace(/-----[A-Z ]+-----|\s/g, '');
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [type, ...rest] = scope.split(':');
    return { type, name: rest.slice(0, -1).join(':'), actions: rest.at(-1)!.split(',') };
  });
  const end = now + lifeSeconds - LEEWAY_SECONDS;
  const claims = { iss: ISSUER, sub: 'ann', aud: SERVICE, exp: end, nbf: now - 600, iat: now - 600, jti: randomUUID() };
  const parts = [
    { typ: 'JWT', alg: 'ES256', x5c: [certificate] },
    { ...claims, access },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signed = parts.join('.');
  const key = readFileSync(join(TLS, 'server.key.pem'));
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}
