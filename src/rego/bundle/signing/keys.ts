import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { FailureType, GateError } from '../../../kernel/failures';
import { SIGNING_ALGORITHMS, type BundleKey } from './bundle-key';

/** @throws GateError ConfigInvalid for an unknown algorithm, or a key that is invalid or of another kind */
export function signingKeyOf(key: BundleKey): KeyObject | Uint8Array {
  return keyOf(key, 'private', () => createPrivateKey(key.key));
}

/** As signingKeyOf; a certificate serves as well. */
export function verifyingKeyOf(key: BundleKey): KeyObject | Uint8Array {
  return keyOf(key, 'public', () => createPublicKey(key.key));
}

function keyOf({ key, algorithm }: BundleKey, kind: string, read: () => KeyObject): KeyObject | Uint8Array {
  if (!SIGNING_ALGORITHMS.includes(algorithm)) {
    throw invalid(`Expected a signing algorithm of ${SIGNING_ALGORITHMS.join(', ')}, got ${JSON.stringify(algorithm)}`);
  }
  const isPem = key.includes('-----BEGIN ');
  if (algorithm.startsWith('HS')) {
    // Whoever has the public key could sign with it.
    if (isPem) throw invalid(`Expected a secret for ${algorithm}, got a PEM: its content may be known to others`);
    return new TextEncoder().encode(key);
  }
  let found: KeyObject;
  try {
    found = read();
  } catch (error) {
    const message = `Expected the PEM of a ${kind} key for ${algorithm}${isPem ? ', but it cannot be read' : ', got something else'}`;
    throw new GateError(FailureType.ConfigInvalid, message, undefined, { cause: error });
  }
  const wanted = algorithm.startsWith('ES') ? ['ec'] : algorithm.startsWith('PS') ? ['rsa', 'rsa-pss'] : ['rsa'];
  if (!wanted.includes(found.asymmetricKeyType ?? '')) {
    throw invalid(`Expected ${wanted.join(' or ')} key for ${algorithm}, got one of type ${found.asymmetricKeyType}`);
  }
  return found;
}

function invalid(message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message);
}
