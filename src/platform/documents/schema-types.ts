import { Type, type Static } from './typebox';
import { DURATION_PATTERN } from '../../kernel/duration';

/** Options of an object of which an unknown key is a fault. */
export const strict = { additionalProperties: false } as const;

/** A duration in a checked document, with its default. */
export const Duration = (defaultValue?: string) =>
  Type.String({
    pattern: DURATION_PATTERN,
    description: 'a duration such as 500ms, 45s, 6h',
    ...(defaultValue === undefined ? {} : { default: defaultValue }),
  });

/** A credential is never written down in a configuration: it names a file or an environment variable that holds it. */
export const SecretRef = Type.Union([
  Type.Object({ file: Type.String({ minLength: 1 }) }, strict),
  Type.Object({ env: Type.String({ minLength: 1 }) }, strict),
]);

export type SecretRef = Static<typeof SecretRef>;

/** A value that `gate images secret encrypt` printed. */
export const EncryptedValue = Type.Object(
  {
    encrypted: Type.String({ minLength: 1, description: 'a value that gate images secret encrypt printed' }),
  },
  strict,
);
export type EncryptedValue = Static<typeof EncryptedValue>;

/** A credential of the settings: where it is kept, or itself, encrypted for the identity that they name. */
export const SettingsSecret = Type.Union([...SecretRef.anyOf, EncryptedValue]);
export type SettingsSecret = Static<typeof SettingsSecret>;
