const SECRET_NAME = /auth|token|secret|passw|key|credential|cookie|signature|^sig$/i;

/**
 * Whether what is under `name` may be a secret: a header, a field of a log line, a parameter of a query. It errs on the side
 * of hiding: `author` and `keyboard` count too.
 */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}
