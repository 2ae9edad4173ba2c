import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** How a registry lets clients in. `token` sends them to a token endpoint of its own first, as Docker's registries do. */
export type Access =
  | { type: 'basic'; username: string; password: string }
  | {
      type: 'token';
      username: string;
      password: string;
      /** @default 300 */
      expiresInSeconds?: number;
      /** pulls without credentials are let in @default false */
      anonymousPull?: boolean;
    };

const TOKEN_PATH = '/token';

/** Who may ask what. */
export class Doorkeeper {
  private readonly tokens = new Map<string, { scopes: Set<string>; until: number }>();

  constructor(
    private readonly access: Access,
    private readonly now: () => number,
  ) {}

  /** @returns true when the request was answered here: with a token, or with a refusal */
  answered(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '/', 'http://registry');
    if (this.access.type === 'token' && url.pathname === TOKEN_PATH) {
      this.grant(request, response, url);
      return true;
    }
    if (this.isAllowed(request, url)) return false;
    const scope = scopeOf(request.method ?? 'GET', url);
    const host = request.headers.host ?? '';
    const challenge =
      this.access.type === 'basic'
        ? 'Basic realm="registry"'
        : `Bearer realm="http://${host}${TOKEN_PATH}",service="registry"${scope === undefined ? '' : `,scope="${scope}"`}`;
    refuse(response, challenge);
    return true;
  }

  private grant(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const { access } = this;
    if (access.type !== 'token') return;
    const known = request.headers.authorization === basicOf(access);
    const scopes = url.searchParams.getAll('scope').flatMap((one) => one.split(' '));
    const pullsOnly = scopes.every((scope) => scope.endsWith(':pull'));
    if (!known && !(access.anonymousPull && request.headers.authorization === undefined && pullsOnly)) {
      refuse(response, 'Basic realm="token"');
      return;
    }
    const token = randomUUID();
    const expires = access.expiresInSeconds ?? 300;
    const granted = scopes.flatMap((scope) => {
      const [type, name, actions = ''] = splitScope(scope);
      return actions.split(',').map((action) => `${type}:${name}:${action}`);
    });
    this.tokens.set(token, { scopes: new Set(granted), until: this.now() + expires * 1000 });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, access_token: token, expires_in: expires }));
  }

  private isAllowed(request: IncomingMessage, url: URL): boolean {
    const { access } = this;
    const { authorization } = request.headers;
    if (access.type === 'basic') return authorization === basicOf(access);
    const held = this.tokens.get(authorization?.replace(/^Bearer /, '') ?? '');
    if (held === undefined || held.until <= this.now()) return false;
    const scope = scopeOf(request.method ?? 'GET', url);
    if (scope === undefined) return true;
    const [type, name, actions = ''] = splitScope(scope);
    return actions.split(',').every((action) => held.scopes.has(`${type}:${name}:${action}`));
  }
}

function refuse(response: ServerResponse, challenge: string): void {
  response.writeHead(401, { 'www-authenticate': challenge, 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }));
}

const basicOf = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** `repository:team/app:pull,push`; a name may hold a colon in its host's port only. */
function splitScope(scope: string): [string, string, string] {
  const first = scope.indexOf(':');
  const last = scope.lastIndexOf(':');
  return [scope.slice(0, first), scope.slice(first + 1, last), scope.slice(last + 1)];
}

function scopeOf(method: string, url: URL): string | undefined {
  if (url.pathname === '/v2/_catalog') return 'registry:catalog:*';
  const name = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(url.pathname)?.[1];
  if (name === undefined) return undefined;
  const actions = method === 'GET' || method === 'HEAD' ? 'pull' : method === 'DELETE' ? 'delete' : 'pull,push';
  return `repository:${name}:${actions}`;
}
