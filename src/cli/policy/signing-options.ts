import type { Command } from 'commander';
import type { SigningOptions } from '../../releases/publishing/read-release-files';

/** The flags that say how a manifest is signed. */
export interface SigningFlags {
  signingKey?: string;
  signAlg: string;
  signKeyId: string;
  signScope?: string;
}

/** Adds the flags of SigningFlags. */
export function withSigning(command: Command, signed = 'the manifest'): Command {
  return command
    .option('--signing-key <file>', `PEM of a private key, or the secret of an HMAC: signs ${signed}`)
    .option('--sign-alg <name>', 'RS256, PS256, ES256, HS256, … or with 384 or 512', 'RS256')
    .option('--sign-key-id <id>', 'name of the key for whoever verifies', 'default')
    .option('--sign-scope <scope>', 'scope of the signature');
}

/** How the key in `keyFile` signs; undefined without one. */
export function signingOf(
  keyFile: string | undefined,
  { signAlg, signKeyId, signScope }: SigningFlags,
): SigningOptions | undefined {
  if (keyFile === undefined) return undefined;
  return { keyFile, algorithm: signAlg, keyId: signKeyId, ...(signScope === undefined ? {} : { scope: signScope }) };
}
