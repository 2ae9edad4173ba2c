import { FailureType, GateError, type Fault } from '../../kernel/failures';
import { withSignal } from '../../platform/timers/with-signal';
import type { AuditReader } from '../audit-reader';
import type { AuditRecord, AuditStore } from '../audit-record';
import { toAuditQueryOptions } from '../query';

export interface OwnerAccess {
  /** base URL of the owner's HTTP server */
  url: string;
  token: string;
  /** of one request @default 10,000 */
  timeoutMs?: number;
}

/** The audit log as commands use it: they read it, and record what they do. */
export type AuditRecorder = AuditReader & Pick<AuditStore, 'record'>;

/**
 * Reads and writes the audit log by asking the process that owns the embedded store.
 *
 * Its methods throw GateError ConfigInvalid for a query that the owner refuses, AuditUnavailable when it does not answer.
 */
export function createOwnerClient({ url, token, timeoutMs = 10_000 }: OwnerAccess): AuditRecorder {
  async function ask(path: string, record?: AuditRecord): Promise<unknown> {
    let response: Response;
    let body: string;
    try {
      [response, body] = await withSignal({ timeoutMs }, async (signal) => {
        const headers = { authorization: `Bearer ${token}` };
        const answer = await fetch(
          new URL(path, url),
          record === undefined
            ? { headers, signal }
            : {
                method: 'POST',
                headers: { ...headers, 'content-type': 'application/json' },
                body: JSON.stringify(record),
                signal,
              },
        );
        return [answer, await answer.text()] as const;
      });
    } catch (error) {
      throw unreadable(`it does not answer (${reasonOf(error)})`, error);
    }
    if (response.status === 404) return undefined;
    if (response.ok) return JSON.parse(body);
    const refusal = parseRefusal(body);
    if (response.status === 400 && refusal !== undefined) {
      throw new GateError(FailureType.ConfigInvalid, refusal.message, refusal.faults);
    }
    throw unreadable(`it answers ${response.status}${refusal === undefined ? '' : `: ${refusal.message}`}`);
  }

  function unreadable(why: string, cause?: unknown): GateError {
    const message = `Cannot read the audit log from the worker at ${url} that holds the embedded store: ${why}`;
    return new GateError(FailureType.AuditUnavailable, message, undefined, { cause });
  }

  function unwritten(cause: unknown): GateError {
    const message = `The audit log of the worker at ${url} did not take a record: ${(cause as Error).message}`;
    return new GateError(FailureType.AuditWriteFailed, message, undefined, { cause });
  }

  return {
    async get(decisionID) {
      return (await ask(`audit/records/${encodeURIComponent(decisionID)}`)) as AuditRecord | undefined;
    },
    async record(record) {
      try {
        if ((await ask('audit/records', record)) !== undefined) return record;
      } catch (error) {
        if (error instanceof GateError && error.type === FailureType.ConfigInvalid) throw error;
        throw unwritten(error);
      }
      throw unwritten(new Error('it is not a worker of this program, or an older one'));
    },
    async list(query) {
      const search = new URLSearchParams(toAuditQueryOptions(query) as Record<string, string>);
      const answer = (await ask(`audit/records?${search.toString()}`)) as { records?: AuditRecord[] } | undefined;
      if (answer?.records === undefined) throw unreadable('it is not a worker of this program, or an older one');
      return answer.records;
    },
    close: () => Promise.resolve(),
  };
}

function parseRefusal(body: string): { message: string; faults?: Fault[] } | undefined {
  try {
    return (JSON.parse(body) as { error?: { message: string; faults?: Fault[] } }).error;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string } }).cause;
  return cause?.code ?? (error as Error).name;
}
