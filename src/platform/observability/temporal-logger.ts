import { DefaultLogger, type LogLevel } from '@temporalio/worker';
import { CommonFailure } from '../../kernel/failures';
import type { ProgramLogger } from './program-logger';
import { createRepetitions } from './repetitions';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** What the SDK says of where something happened; none of it comes from a payload or an error. */
const SAFE_KEYS: readonly string[] = [
  ...['sdkComponent', 'taskQueue', 'namespace', 'workflowId', 'workflowType', 'runId', 'activityId', 'activityType'],
  ...['attempt', 'isLocal', 'durationMs', 'historyLength', 'identity', 'target', 'state', 'repeated'],
];

export interface TemporalLoggerOptions {
  /** leaves texts, stacks and details of failures out: the SDK logs each failure with all that its message holds */
  withoutTexts?: boolean;
}

/** Failures whose messages may quote facts: their records hold them, masked. */
const ABOUT_FACTS: readonly string[] = [
  CommonFailure.FactInvalid,
  CommonFailure.FactMissing,
  CommonFailure.FactSourceUnavailable,
  CommonFailure.FactStale,
  CommonFailure.PolicyEvaluation,
];
const REPEATED_EVERY_MS = 600_000;

/**
 * The logger for Temporal's Runtime: its lines go where ours go, at our level. A failure that repeats in the same workflow
 * is written once, and every ten minutes how often it came again; one about facts has no text. `options` count as they are
 * at each line.
 */
export function createTemporalLogger(
  logger: ProgramLogger,
  options: Readonly<TemporalLoggerOptions> = {},
): DefaultLogger {
  const isWanted = (name: LogLevel): boolean =>
    logger.isLevelEnabled?.(LEVELS[name]) ?? (name !== 'TRACE' && name !== 'DEBUG');
  const level = (Object.keys(LEVELS) as LogLevel[]).find(isWanted) ?? 'ERROR';
  const repetitions = createRepetitions({ everyMs: REPEATED_EVERY_MS, nowMs: Date.now });
  return new DefaultLogger(level, ({ level: of, meta, message }) => {
    const name = of === 'TRACE' && logger.trace === undefined ? 'debug' : LEVELS[of];
    const details: Record<string, unknown> = { ...meta };
    const failureType = details.error === undefined ? undefined : failureTypeOf(details.error);
    if (failureType !== undefined) {
      const { workflowId, activityType } = details;
      const repeated = repetitions.count(JSON.stringify([firstWords(message), workflowId, activityType, failureType]));
      if (repeated === undefined) return;
      if (repeated > 0) details.repeated = repeated;
    }
    if (!options.withoutTexts && !ABOUT_FACTS.includes(failureType ?? '')) logger[name]?.(details, message);
    else logger[name]?.(withoutText(details), firstWords(message));
  });
}

function withoutText(meta: Record<string, unknown>): Record<string, unknown> {
  const safe = Object.fromEntries(Object.entries(meta).filter(([key]) => SAFE_KEYS.includes(key)));
  const { error } = meta;
  return error === undefined ? safe : { ...safe, failureType: failureTypeOf(error) };
}

/** Types of failures and names of error classes are fixed words. */
function failureTypeOf(error: unknown): string {
  const { type, name } = (typeof error === 'object' && error !== null ? error : {}) as {
    type?: unknown;
    name?: unknown;
  };
  const isWord = (word: unknown): word is string => typeof word === 'string' && /^[A-Za-z]{1,64}$/.test(word);
  return [type, name].find(isWord) ?? 'unknown';
}

/** The SDK's own words end where it appends an error, after a colon or on the next line. */
const firstWords = (message: string): string => message.split(/[:\n]/, 1)[0] ?? '';
