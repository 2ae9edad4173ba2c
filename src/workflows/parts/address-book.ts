import { shortText } from '../../kernel/short-text';

/** To whom a message is addressed, or why to no one. */
export type Addressee<T> = { to: T; why?: undefined } | { to?: undefined; why: string };

/** Names that a refusal lists at most. */
const LISTED = 20;

/** Who in one workflow execution takes messages, by the name that a message gives. */
export interface AddressBook {
  /**
   * Adds one, or replaces the one of this name.
   *
   * @returns finds the one that a message names as its `deploymentId`; one that names none is for the only one
   */
  add<T>(name: string, member: T): (message: unknown) => Addressee<T>;
}

/** One book for each kind of member: all that are added to it have the same type. */
export function createAddressBook(): AddressBook {
  const members = new Map<string, unknown>();
  return {
    add<T>(name: string, member: T) {
      members.set(name, member);
      return (message: unknown): Addressee<T> => {
        const named = nameIn(message);
        const found = named === undefined && members.size === 1 ? member : members.get(named ?? '');
        if (found !== undefined) return { to: found as T };
        const known = [...members.keys()].slice(0, LISTED).join(', ');
        const got = named === undefined ? 'none' : shortText(named);
        return { why: `Expected deploymentId to be one of this workflow's deployments (${known}), got ${got}` };
      };
    },
  };
}

function nameIn(message: unknown): string | undefined {
  if (typeof message === 'string') return message;
  if (typeof message !== 'object' || message === null) return undefined;
  const { deploymentId } = message as { deploymentId?: unknown };
  return typeof deploymentId === 'string' ? deploymentId : undefined;
}
