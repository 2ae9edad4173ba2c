import { DefaultLogger, type LogLevel } from '@temporalio/worker';
import type { Logger } from 'pino';

const TO_PINO = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** The logger for Temporal's Runtime: its lines go where ours go, at our level. */
export function createTemporalLogger(logger: Logger): DefaultLogger {
  const level = (Object.keys(TO_PINO) as LogLevel[]).find((name) => logger.isLevelEnabled(TO_PINO[name])) ?? 'ERROR';
  return new DefaultLogger(level, (entry) => logger[TO_PINO[entry.level]]({ ...entry.meta }, entry.message));
}
