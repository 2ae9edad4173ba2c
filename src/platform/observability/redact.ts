import { isSecretName } from '../../kernel/secret-names';

export const REDACTED = '[redacted]';

/** A copy of what is logged, with the values under keys that name a secret left out. Errors are passed as they are. */
export function redactKeys(value: Record<string, unknown>): Record<string, unknown> {
  return redact(value, []) as Record<string, unknown>;
}

function redact(value: unknown, above: readonly object[]): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (above.includes(value)) return '[circular]';
  const path = [...above, value];
  if (Array.isArray(value)) return value.map((item) => redact(item, path));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isSecretName(key) ? REDACTED : redact(item, path)]),
  );
}

/** Secrets within a text: bearer and basic credentials, and the user part of a URL. */
export function redactText(text: string): string {
  return text
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{16,}/gi, `$1 ${REDACTED}`)
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]+@/gi, `$1${REDACTED}@`);
}
