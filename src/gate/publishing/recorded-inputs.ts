import { messageOf } from '../../kernel/message-of';
import type { AuditReader } from '../../audit/audit-reader';
import { isGateRecord } from '../../audit/place';
import type { AuditRecord } from '../../audit/audit-record';
import { openAuditInPassing } from '../../audit/stores/open-audit';
import { streamRecords } from '../../audit/stream-records';
import type { JsonObject } from '../../kernel/json';
import { within } from '../../kernel/timers';
import { systemTimers } from '../../platform/timers/system-timers';
import type { AskedInput } from '../../rego/toolchain/ask-opa';
import type { Surroundings } from '../../releases/sources/open-named-release';
import type { LoadedSettings } from '../../settings/load-settings';

/** Newest first; what is looked at is bounded too, for a log of masked or failed decisions alone. */
const MOST_INPUTS = 200;
const MOST_LOOKED_AT = 2_000;
/** All of them go to one `opa eval`. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
const WITHIN_MS = 15_000;

/** What the newest decisions were made from. */
export interface RecordedInputs {
  inputs: AskedInput[];
  /** why there are none, or fewer: the publisher may have no right to read records, which is no reason against a release */
  unread?: string;
}

/**
 * The inputs of the last 200 decisions of the settings' store that hold nothing masked, each with its time; none where there is no
 * store, or an embedded one that no worker holds. Throws nothing.
 */
export async function recordedInputs(settings: LoadedSettings, { env }: Surroundings): Promise<RecordedInputs> {
  const inputs: AskedInput[] = [];
  let reader: AuditReader | undefined;
  const read = async (): Promise<void> => {
    reader = await openAuditInPassing(settings, env);
    if (reader === undefined) return;
    const query = { domain: 'gate', kind: 'decision', newestFirst: true, limit: MOST_LOOKED_AT } as const;
    let characters = 0;
    for await (const record of streamRecords(reader, query)) {
      const asked = inputOf(record);
      if (asked === undefined) continue;
      characters += JSON.stringify(asked.input).length;
      if (characters > MOST_CHARACTERS) return;
      inputs.push(asked);
      if (inputs.length === MOST_INPUTS) return;
    }
  };
  try {
    const late = (): Error => new Error(`the audit store took longer than ${WITHIN_MS / 1000} s`);
    await within(systemTimers, WITHIN_MS, read(), late);
    return { inputs };
  } catch (error) {
    return { inputs, unread: messageOf(error) };
  } finally {
    // What it is at when it is late ends with it.
    await reader?.close().catch(() => undefined);
  }
}

/** What the policy saw; undefined where the record does not hold all of it. */
function inputOf(record: AuditRecord): AskedInput | undefined {
  if (!isGateRecord(record) || record.deployment === undefined) return undefined;
  if (record.damaged !== undefined || (record.masked?.length ?? 0) > 0) return undefined;
  const facts = record.usedFacts.map(({ id, value }) => [id, value] as const);
  const input = Object.fromEntries([
    ...facts,
    ['deployment', record.deployment],
    ['decision_time', record.timestamp],
  ]) as JsonObject;
  return { input, decisionTimeMs: Date.parse(record.timestamp) };
}
