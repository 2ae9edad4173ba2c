import { userName } from '../platform/files/user-name';
import { CliExit, ExitCode } from './io';

/**
 * Who acts where `--actor` does not say it: the user of this computer.
 *
 * @throws CliExit 2 where that user has no name, as in some containers
 */
export function userAsActor(): string {
  const name = userName();
  if (name === undefined) throw new CliExit(ExitCode.usage, 'expected --actor: this computer has no name for its user');
  return name;
}
