/** The encoding that an encrypted payload has in the clear. */
export const ENCRYPTED = 'binary/encrypted';

/** The metadata, in the clear, that names the key. */
export const KEY_ID = 'encryption-key-id';
