import { resolve } from 'node:path';
import type { JsonValue } from '../../kernel/json';
import { placeBelow } from '../../platform/documents/validate';
import type { LoadedSettings } from '../../settings/load-settings';
import type { ImagePolicySourceDocument } from '../policies/read-image-policies';

/** Where the policies of settings are. */
export interface PolicyPlacesOfSettings {
  /** an absolute path of a file or folder */
  path?: string;
  /** those of the settings themselves */
  more: readonly ImagePolicySourceDocument[];
}

/** @param instead a file or folder in place of all that the settings name */
export function policyPlaces({ settings, baseDir, place }: LoadedSettings, instead?: string): PolicyPlacesOfSettings {
  if (instead !== undefined) return { path: instead, more: [] };
  const { configPath, policies = [] } = settings.policy;
  // Keys of signatures are relative to the file of their policy.
  const where = place ?? { file: resolve(baseDir, 'settings') };
  return {
    ...(configPath === undefined ? {} : { path: resolve(baseDir, configPath) }),
    more: policies.map((document, index) => ({
      document: document as JsonValue,
      where: placeBelow(where, `/policy/policies/${index}`),
    })),
  };
}
