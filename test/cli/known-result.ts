/** What `-o json` printed of a command's result: with exit code 2 it stands in the error. */
export function knownResult<T>(stdout: string): T {
  const document = JSON.parse(stdout) as { error?: { result?: T } } & T;
  return document.error?.result ?? document;
}
