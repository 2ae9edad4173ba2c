import type { AuditRecord } from '../../audit/audit-record';
import { CliExit, CommandFailureType, ExitCode } from '../exit';

/** Counts the damaged records among those that a command shows. */
export interface DamageCount {
  /** the record itself, to be shown like any other */
  seen<R extends AuditRecord>(record: R): R;
  /** @throws CliExit 2 that names the first of them, when there were any; said last, after all that could be shown */
  finish(): void;
}

export function createDamageCount(): DamageCount {
  let count = 0;
  let first: AuditRecord | undefined;
  return {
    seen(record) {
      if (record.damaged !== undefined) {
        count += 1;
        first ??= record;
      }
      return record;
    },
    finish() {
      if (first === undefined) return;
      const what = count === 1 ? '1 record is damaged,' : `${count} records are damaged, the first of them`;
      const message = `${what} ${first.decisionID}: ${(first.damaged ?? []).join('; ')}`;
      throw new CliExit(ExitCode.usage, message, CommandFailureType.Unexpected);
    },
  };
}
