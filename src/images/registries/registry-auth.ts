import { parseJsonText } from '../../platform/documents/json-text';
import { isJsonObject } from '../../kernel/json';
import { parseChallenges, type Challenge } from './challenge';
import type { Credentials, FindCredentials } from './credentials';
import { RegistryError } from './registry-error';

/** Asks a token server: a GET, or a POST of a form. */
export type AskTokenServer = (
  url: string,
  request: { headers: Record<string, string>; form?: string },
) => Promise<{ status: number; body: string }>;

export interface RegistryAuthOptions {
  /** as references name it */
  registry: string;
  /** the registry is spoken to without TLS: then its token server may be too */
  plainHttp: boolean;
  findCredentials: FindCredentials;
  ask: AskTokenServer;
  now: () => number;
}

/** A token is renewed before it ends, at half of a short life: what is sent meanwhile must still be good when it arrives. */
const RENEW_BEFORE_MS = 30_000;
/** Basic credentials are read again after this: helpers such as ECR's give some that end. */
const BASIC_LIFE_MS = 300_000;
/** What a token is good for where its server does not say, by Docker's token specification. */
const DEFAULT_LIFE_SECONDS = 60;

interface Token {
  header: string;
  /** epoch milliseconds from which on it is renewed */
  renewAt: number;
}

/**
 * What a registry wants to see as `Authorization`, asked for when it answers 401 the first time and kept for each set of scopes.
 * Basic credentials are only sent to a registry that asked for them.
 */
export class RegistryAuth {
  private challenge: Challenge | undefined;
  private readonly tokens = new Map<string, Promise<Token>>();

  constructor(private readonly options: RegistryAuthOptions) {}

  /** The header for a request of these scopes; undefined while the registry has not asked for any. */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    if (this.challenge === undefined) return undefined;
    const key = scopes.join(' ');
    const kept = this.tokens.get(key);
    if (kept !== undefined) {
      const token = await kept.catch(() => undefined);
      if (token !== undefined && this.options.now() < token.renewAt) return token.header;
      // Another request may have renewed it meanwhile.
      if (this.tokens.get(key) === kept) this.tokens.delete(key);
    }
    const asked = this.tokens.get(key) ?? this.obtain(this.challenge, scopes);
    this.tokens.set(key, asked);
    return (await asked).header;
  }

  /**
   * Takes a refusal in: what was held for these scopes is dropped.
   *
   * @param challenges the header `WWW-Authenticate`
   * @param used what the refused request carried
   * @returns whether asking again can help
   */
  async refused(challenges: string, scopes: readonly string[], used: string | undefined): Promise<boolean> {
    const understood = parseChallenges(challenges).find(({ scheme }) => scheme === 'bearer' || scheme === 'basic');
    if (understood === undefined) return false;
    this.challenge = understood;
    const key = scopes.join(' ');
    const kept = await this.tokens.get(key)?.catch(() => undefined);
    if (kept?.header === used) this.tokens.delete(key);
    if (used === undefined || kept === undefined || kept.header !== used) return true;
    // A token may have ended before its time. Basic credentials that were refused stay wrong, but there may be new ones by now.
    return understood.scheme === 'bearer' || (await this.header(scopes)) !== used;
  }

  private async obtain(challenge: Challenge, scopes: readonly string[]): Promise<Token> {
    const credentials = await this.options.findCredentials(this.options.registry);
    if (challenge.scheme === 'bearer') return this.token(challenge, scopes, credentials);
    if (credentials === undefined || !('username' in credentials)) {
      throw new RegistryError('denied', `${this.options.registry} asks for a login: use docker login`, { status: 401 });
    }
    return { header: basicOf(credentials), renewAt: this.options.now() + BASIC_LIFE_MS };
  }

  private async token(
    { parameters }: Challenge,
    scopes: readonly string[],
    credentials: Credentials | undefined,
  ): Promise<Token> {
    const { registry, ask } = this.options;
    const realm = this.realmOf(parameters.realm);
    const service: Record<string, string> = parameters.service === undefined ? {} : { service: parameters.service };
    let answer;
    if (credentials !== undefined && 'identityToken' in credentials) {
      const fields = { grant_type: 'refresh_token', client_id: 'planning-engine', scope: scopes.join(' ') };
      answer = await ask(realm.href, {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        form: new URLSearchParams({ ...fields, ...service, refresh_token: credentials.identityToken }).toString(),
      });
    } else {
      for (const [name, value] of Object.entries(service)) realm.searchParams.set(name, value);
      for (const scope of scopes) realm.searchParams.append('scope', scope);
      const headers: Record<string, string> = credentials === undefined ? {} : { authorization: basicOf(credentials) };
      answer = await ask(realm.href, { headers });
    }
    const { status, body } = answer;
    // By OAuth 2 an identity token that has ended is a bad request.
    if (status === 401 || status === 403 || (status === 400 && body.includes('invalid_grant'))) {
      throw new RegistryError('denied', `${registry}: its token server ${realm.host} refused the login`, { status });
    }
    if (status !== 200) {
      const failure = status === 429 || status >= 500 ? 'unavailable' : 'invalid';
      throw new RegistryError(failure, `${registry}: its token server ${realm.host} answered ${status}`, { status });
    }
    return this.readToken(body, realm.host);
  }

  /** Credentials are sent to it: never without TLS for a registry that is spoken to with TLS. */
  private realmOf(realm: string | undefined): URL {
    const { registry, plainHttp } = this.options;
    const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined;
    if (url === undefined || !(url.protocol === 'https:' || (plainHttp && url.protocol === 'http:'))) {
      throw new RegistryError('invalid', `${registry}: expected the https address of its token server, got none`);
    }
    return url;
  }

  private readToken(body: string, host: string): Token {
    try {
      const answer = parseJsonText(body);
      if (!isJsonObject(answer)) throw new Error('no object');
      const token = answer.token ?? answer.access_token;
      if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw new Error('no token');
      const lifeMs = (typeof answer.expires_in === 'number' ? answer.expires_in : DEFAULT_LIFE_SECONDS) * 1000;
      // By our clock: theirs may be another.
      const renewAt = this.options.now() + lifeMs - Math.min(RENEW_BEFORE_MS, lifeMs / 2);
      return { header: `Bearer ${token}`, renewAt };
    } catch {
      throw new RegistryError('invalid', `${this.options.registry}: expected a token from ${host}, got something else`);
    }
  }
}

function basicOf({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
