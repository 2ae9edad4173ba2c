import { createHash, timingSafeEqual } from 'node:crypto';
import { Role, type Principal } from './role';

/** A token as settings name it. */
export interface KnownToken {
  /** `sha256:` and the SHA-256 of the token in hex: settings hold no secret */
  hash: string;
  actor: string;
  roles: readonly Role[];
  policyTypes?: readonly string[];
  namespaces?: readonly string[];
}

export interface CallersOptions {
  tokens: readonly KnownToken[];
  /** that of an embedded store, which only this user's commands on this machine can read */
  ownerToken?: string;
  /** whether the server listens on loopback alone */
  loopback: boolean;
  /** who a signed token names; rejects, or undefined, when it is not valid. Absent: signed tokens open nothing */
  verifySigned?(token: string): Promise<Principal | undefined>;
}

/** Gives who calls, from the header Authorization; undefined when nobody does that the server knows. */
export type Callers = (authorization: string | null | undefined) => Promise<Principal | undefined>;

const BEARER = /^Bearer +(\S+)$/i;

/** What whoever is not known is told: whether it sent no token, or one that opens nothing. */
export function unknownCaller(authorization: string | null | undefined): string {
  return BEARER.test(authorization ?? '')
    ? 'Expected a token that this server knows: the one that was sent is unknown, or not valid any more'
    : 'Expected the header Authorization: Bearer <token>';
}

/** Who calls a server on loopback that has no tokens: whoever can reach it. */
const LOCAL: Principal = { key: 'local', actor: 'local', roles: [Role.admin], namesActor: true };

/** Without tokens, whoever can reach a loopback address may do everything; beyond loopback nobody can without one. */
export function createCallers({ tokens, ownerToken = '', loopback, verifySigned }: CallersOptions): Callers {
  const known = tokens.map(({ hash, ...token }, index) => ({
    digest: Buffer.from(hash.slice('sha256:'.length), 'hex'),
    principal: { ...token, key: `token ${index}` },
  }));
  const owner = ownerToken === '' ? undefined : digestOf(ownerToken);
  const isOpen = loopback && known.length === 0 && verifySigned === undefined;
  return async (authorization) => {
    const given = BEARER.exec(authorization ?? '')?.[1];
    if (given === undefined) return isOpen ? LOCAL : undefined;
    const digest = digestOf(given);
    if (owner !== undefined && timingSafeEqual(digest, owner)) return { ...LOCAL, key: 'owner' };
    // Every one is compared: the time taken tells neither which one it was nor how much of it was right.
    const found = known.filter(({ digest: other }) => timingSafeEqual(digest, other))[0]?.principal;
    if (found !== undefined) return found;
    // Three parts with dots between them, as signed tokens have; others are not worth a question.
    if (verifySigned === undefined || given.split('.').length !== 3) return undefined;
    return verifySigned(given).catch(() => undefined);
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
