/** The version of this package, as its package.json says. */
export function packageVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- read at run time, so that the build's root stays src/
  return (require('../../../package.json') as { version: string }).version;
}
