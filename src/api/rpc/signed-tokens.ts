import { createRemoteJWKSet, jwtVerify } from 'jose';
import { ROLES, type Principal, type Role } from './role';

export interface SignedTokenOptions {
  issuer: string;
  audience: string;
  /** where the issuer's public keys are */
  jwksUri: string;
  /** the claim that lists roles */
  rolesClaim: string;
}

/** Signatures with a key that both sides know are not among them: the keys here are public. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const CLOCK_SKEW_SECONDS = 30;
const ASKING_MS = 5_000;

/**
 * Gives who a JSON Web Token names: `sub` is the actor, `rolesClaim` lists the roles. Undefined without a subject or without
 * one role that is known. Keys are asked for when one is missing, at most every 30 seconds.
 *
 * @returns a function that rejects for a token that is not valid: signature, issuer, audience or time; one without `exp` is not
 */
export function createSignedTokens({ issuer, audience, jwksUri, rolesClaim }: SignedTokenOptions) {
  const keys = createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: ASKING_MS });
  return async (token: string): Promise<Principal | undefined> => {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_SKEW_SECONDS,
      requiredClaims: ['sub', 'exp'],
    });
    const claimed = payload[rolesClaim];
    const named: unknown[] = Array.isArray(claimed) ? claimed : typeof claimed === 'string' ? claimed.split(' ') : [];
    const roles = named.filter((role): role is Role => ROLES.includes(role as Role));
    const { sub = '' } = payload;
    return sub === '' || roles.length === 0 ? undefined : { key: `jwt ${sub}`, actor: sub, roles };
  };
}
