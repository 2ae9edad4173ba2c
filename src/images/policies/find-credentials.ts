import { isJsonObject, type JsonValue } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { encryptedTexts, isEncrypted, readEncrypted } from '../../platform/documents/encrypted-text';
import type { PointedFault } from '../pointed-fault';

/** Narrower than what logs hide: a policy may well name its author and a sort key. */
const CREDENTIAL_NAME =
  /(?:passw(?:or)?d|passphrase|secret|token|credentials?|authorization|(?:api|access|private|secret)[-_]?key)$/i;
const CREDENTIAL = 'expected no credential in a policy, but a reference such as secret:NAME or an encrypted value';
const REFERENCE = /^secret:[A-Za-z0-9_.-]+$/;

/** The name of a reference `secret:NAME`; undefined for any other text. */
export function secretNameOf(text: string): string | undefined {
  return REFERENCE.test(text) ? text.slice('secret:'.length) : undefined;
}

const URL_WITH_CREDENTIALS = /[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/\s]*@/;

/**
 * Places of a free part of a document that hold a credential: a text under a name such as `password` that is no reference
 * (`secret:NAME`) and not encrypted, and an address with a user in it. Nothing that is found is repeated in the faults.
 */
export function credentialFaults(value: JsonValue, pointer: string, sentence = CREDENTIAL): PointedFault[] {
  if (Array.isArray(value))
    return value.flatMap((each, index) => credentialFaults(each, `${pointer}/${index}`, sentence));
  if (typeof value === 'string') {
    if (!URL_WITH_CREDENTIALS.test(value)) return [];
    return [{ pointer, sentence: 'expected an address without a user and a password' }];
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const at = `${pointer}/${escapePointer(key)}`;
    const isCredential = CREDENTIAL_NAME.test(key) && (typeof each === 'string' || typeof each === 'number');
    if (!isCredential) return credentialFaults(each, at, sentence);
    if (typeof each === 'string' && (REFERENCE.test(each) || isEncrypted(each))) return [];
    return [{ pointer: at, sentence }];
  });
}

/**
 * Places of a free part of a document that nothing reads a secret from: credentials, as `credentialFaults` finds them, and
 * what would be one elsewhere, a reference or an encrypted value.
 */
export function secretFaults(value: JsonValue, pointer: string): PointedFault[] {
  return [...credentialFaults(value, pointer, 'expected no credential in a policy'), ...unreadSecrets(value, pointer)];
}

function unreadSecrets(value: JsonValue, pointer: string): PointedFault[] {
  if (typeof value === 'string') {
    if (!REFERENCE.test(value) && !isEncrypted(value)) return [];
    return [{ pointer, sentence: 'expected no reference to a secret and no encrypted value: only hooks read them' }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => unreadSecrets(each, `${pointer}/${escapePointer(key)}`));
}

/** Encrypted values of a part that are damaged, or that no one can decrypt; nothing is decrypted to find out. */
export function encryptedFaults(part: unknown, pointerOfPart: string, decrypts: boolean): PointedFault[] {
  return encryptedTexts(part, pointerOfPart).flatMap(({ pointer, text }) => {
    const read = readEncrypted(text);
    if (typeof read === 'string') return [{ pointer, sentence: read }];
    if (decrypts) return [];
    return [{ pointer, sentence: 'expected secrets.identityFile in the settings, to decrypt this value' }];
  });
}
