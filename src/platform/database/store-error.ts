import { messageOf } from '../../kernel/message-of';
import { CONNECTION_FAULTS } from '../../kernel/connection-faults';
import { FailureType, GateError } from '../../kernel/failures';

const BY_SQLSTATE: Record<string, string> = {
  '28P01': 'refused the user name or password',
  '28000': 'refused the user',
  '3D000': 'has no such database',
  '55P03': 'did not get a lock in time, which another transaction holds',
  '42501': 'denies the user a permission that the store needs',
  '53300': 'has no connection left',
  '57014': 'cancelled the statement because it took too long',
  '57P01': 'was shut down',
  '57P02': 'crashed',
  '57P03': 'is starting up or shutting down',
  '25006': 'is read-only (a standby?)',
};

const TIMED_OUT = /timeout/i;
const CLOSED = /Connection terminated|Connection ended|not queryable/i;

/**
 * The error of a database as one sentence for people: which store, what is the matter. It never repeats the URL (which
 * holds a password) nor a server's `detail` (which holds values).
 *
 * @param type of the failure; another one than this where a record could not be written
 * @param where the store without secrets, e.g. `PostgreSQL at db.example:5432/gate`
 */
export function storeError(
  where: string,
  doing: string,
  error: unknown,
  type: FailureType = FailureType.AuditUnavailable,
): GateError {
  if (error instanceof GateError) return error;
  return new GateError(type, `Cannot ${doing}: ${where} ${whatIsWrong(error)}`, undefined, { cause: error });
}

/** Connections lost, a transaction that met another one, too few resources, and a server that is told to stop or starts. */
const PASSING_CLASSES = ['08', '40', '53', '57'];
/** A lock that another one holds, and a standby that is to become the primary. */
const PASSING_STATES = ['55P03', '25006'];

/**
 * True when the same statement may succeed later although no one changes the settings: the server is out of reach, busy or
 * between two states. A refused password, an unknown database and a refused certificate are none of these.
 */
export function isOutage(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined && (code in CONNECTION_FAULTS || PASSING_STATES.includes(code))) return true;
  if (isSqlState(code)) return PASSING_CLASSES.includes(code.slice(0, 2));
  const message = error instanceof Error ? error.message : '';
  return TIMED_OUT.test(message) || CLOSED.test(message);
}

/** True when a statement waited for a lock for longer than `lock_timeout`: it did nothing. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

/** True when the server itself answered with an error: the connection that brought it is sound. */
export function isAnswerOfServer(error: unknown): boolean {
  const code = codeOf(error);
  // Class 57 is the server going away: that connection is as good as closed.
  return isSqlState(code) && !code.startsWith('57P');
}

function isSqlState(code: string | undefined): code is string {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !(code in CONNECTION_FAULTS);
}

function whatIsWrong(error: unknown): string {
  const code = codeOf(error);
  const message = messageOf(error);
  const known = code === undefined ? undefined : (BY_SQLSTATE[code] ?? CONNECTION_FAULTS[code]);
  if (known !== undefined) return `${known} (${code})`;
  if (TIMED_OUT.test(message)) return 'did not answer in time';
  if (CLOSED.test(message)) return 'closed the connection';
  const name = code === undefined ? '' : ` (${code})`;
  return `failed: ${message === '' ? 'no message given' : message}${name}`;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
