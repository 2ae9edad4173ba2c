import { CliExit, ExitCode } from '../io';

/**
 * Ends a command with code 1 when a release is refused, and with 4 when it is unknown whether a manifest was written.
 *
 * @param refused told why the release is refused, before the command ends
 */
export async function withPublishingExit<T>(act: () => Promise<T>, refused: (message: string) => void): Promise<T> {
  const [{ ReleaseRefusedError }, { NotConfirmedError }] = await Promise.all([
    import('../../releases/publishing/release-refused.js'),
    import('../../releases/publishing/point-manifest.js'),
  ]);
  try {
    return await act();
  } catch (error) {
    if (error instanceof ReleaseRefusedError) {
      refused(error.message);
      throw new CliExit(ExitCode.denied, error.message);
    }
    if (error instanceof NotConfirmedError) throw new CliExit(ExitCode.timeout, error.message);
    throw error;
  }
}
