import pino, { type DestinationStream, type Logger } from 'pino';
import { visibleLines } from '../../kernel/visible-text';
import { redactKeys, redactText } from './redact';
import { toPrettyLine } from './pretty-line';

export interface LoggerOptions {
  /** @default info */
  level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `json` for machines, `pretty` for people; see logFormatOf */
  format?: 'json' | 'pretty';
  /** colours in pretty lines */
  colour?: boolean;
  /** where the lines go; @default stderr, because stdout is for results */
  destination?: DestinationStream;
}

/** `LOG_FORMAT` where it is `json` or `pretty`; otherwise pretty on a terminal and JSON elsewhere. */
export function logFormatOf(env: Record<string, string | undefined>, isTerminal: boolean): 'json' | 'pretty' {
  if (env.LOG_FORMAT === 'json' || env.LOG_FORMAT === 'pretty') return env.LOG_FORMAT;
  return isTerminal ? 'pretty' : 'json';
}

/** Writes at once, so that no line is lost when the process ends. Secrets are left out of keys and texts alike. */
export function createLogger({
  level = 'info',
  format = 'json',
  colour = false,
  destination,
}: LoggerOptions = {}): Logger {
  const target = destination ?? pino.destination({ dest: 2, sync: true });
  const stream: DestinationStream =
    format === 'pretty'
      ? { write: (line) => target.write(toPrettyLine(line, colour)) }
      : { write: (line) => target.write(visibleLines(line)) };
  return pino(
    {
      level,
      base: null,
      formatters: { log: redactKeys },
      serializers: { error: pino.stdSerializers.err },
      hooks: { streamWrite: redactText },
    },
    stream,
  );
}
