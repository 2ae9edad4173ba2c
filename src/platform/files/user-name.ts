import { userInfo } from 'node:os';

/** The user of this computer; undefined where the system knows none, as for the number of a user in a container. */
export function userName(): string | undefined {
  try {
    const { username } = userInfo();
    return username === '' ? undefined : username;
  } catch {
    return undefined;
  }
}
