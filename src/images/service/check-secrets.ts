import { type Fault } from '../../kernel/failures';
import { messageOf } from '../../kernel/message-of';
import { encryptedTexts } from '../../platform/documents/encrypted-text';
import { faultAt, type DocumentPlace } from '../../platform/documents/validate';
import { decryptText } from '../../platform/files/decrypt-text';
import type { LoadedSettings } from '../../settings/load-settings';
import { secretDeps } from '../../settings/secret-deps';
import type { ImagePolicySet } from '../policies/image-policy';

/**
 * Decrypts every encrypted value of the settings and of policies, and forgets it.
 *
 * @returns how many there are, and a fault with its place for each that cannot be decrypted or is empty
 */
export async function checkSecrets(
  loaded: LoadedSettings,
  set: Pick<ImagePolicySet, 'policies' | 'places'>,
): Promise<{ values: number; faults: readonly Fault[] }> {
  // Policies of the settings are among the set's, with places of their own.
  const { policy, ...others } = loaded.settings;
  const documents: { document: unknown; where: DocumentPlace }[] = [
    {
      document: { ...others, policy: { ...policy, policies: [] } },
      where: loaded.place ?? { file: 'the settings' },
    },
    ...set.policies.map(({ id, document }) => ({
      document,
      where: set.places.get(id) ?? { file: 'the settings' },
    })),
  ];
  const { identityFile } = secretDeps(loaded, {});
  const faults: Fault[] = [];
  let values = 0;
  for (const { document, where } of documents) {
    for (const { pointer, text } of encryptedTexts(document)) {
      values += 1;
      const fault = await decryptText(text, identityFile).then(
        (secret) => (secret.trim() === '' ? 'expected an encrypted text, but it is empty' : undefined),
        messageOf,
      );
      if (fault !== undefined) faults.push(faultAt(where, pointer, fault));
    }
  }
  return { values, faults };
}
