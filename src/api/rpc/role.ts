/** What a caller may do; a token has one or several. */
export const Role = {
  /** reads */
  viewer: 'viewer',
  /** writes policies and specs, and runs specs */
  author: 'author',
  /** runs, cancels, retries, executes, pauses */
  operator: 'operator',
  /** decides gates */
  approver: 'approver',
  /** writes status */
  controller: 'controller',
  /** everything */
  admin: 'admin',
} as const;
export type Role = (typeof Role)[keyof typeof Role];

export const ROLES: readonly Role[] = Object.values(Role);

/** Who calls, as the server knows it. */
export interface Principal {
  /** whose quota a call counts for: one for each token */
  key: string;
  actor: string;
  roles: readonly Role[];
  /** types of policies that this caller may change and execute; absent: all */
  policyTypes?: readonly string[];
  /** namespaces of specs; absent: all */
  namespaces?: readonly string[];
  /** whether a request may name another actor: a command of this machine acts for whoever runs it */
  namesActor?: boolean;
}

/** Whether one of the caller's roles is among `admitted`; an admin's always is. */
export function isAdmitted({ roles }: Principal, admitted: readonly Role[]): boolean {
  return roles.some((role) => role === Role.admin || admitted.includes(role));
}
