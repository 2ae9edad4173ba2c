import { describe, expect, it } from '@jest/globals';
import { createLogger, logFormatOf, type LoggerOptions } from '../../../src/platform/observability/logger';
import { toPrettyLine } from '../../../src/platform/observability/pretty-line';
import { createRepetitions } from '../../../src/platform/observability/repetitions';
import { createTemporalLogger } from '../../../src/platform/observability/temporal-logger';

function capture(options: LoggerOptions = {}) {
  const lines: string[] = [];
  const logger = createLogger({ ...options, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the logger', () => {
  it.each<[Record<string, string | undefined>, boolean, string]>([
    [{}, true, 'pretty'],
    [{}, false, 'json'],
    [{ LOG_FORMAT: 'json' }, true, 'json'],
    [{ LOG_FORMAT: 'pretty' }, false, 'pretty'],
    [{ LOG_FORMAT: 'xml' }, false, 'json'],
  ])('the logger with %j on a terminal (%s) writes %s', (env, terminal, format) => {
    expect(logFormatOf(env, terminal)).toBe(format);
  });

  it('the logger leaves out values under the name of a secret, however deep', () => {
    const { logger, entries } = capture();
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const headers = { Authorization: 'abc', accept: 'json' };
    logger.info({ request: [{ headers }], bearerToken: 't', circular, at: new Date(0) }, 'm');
    expect(entries()).toMatchObject([
      {
        request: [{ headers: { Authorization: '[redacted]', accept: 'json' } }],
        bearerToken: '[redacted]',
        circular: { self: '[circular]' },
        at: '1970-01-01T00:00:00.000Z',
        msg: 'm',
      },
    ]);
  });

  it.each([
    'sent Bearer abcdefghijklmnop12345',
    'sent Basic dXNlcjpzZWNyZXRwYXNzd29yZA==',
    'GET http://user:hunter2@host/x failed',
  ])('the logger leaves secrets out of texts and errors: %s', (text) => {
    const { logger, lines } = capture();
    logger.error({ err: new Error(text), error: new Error(text) }, text);
    expect(lines[0]).toContain('[redacted]');
    expect(lines[0]).not.toMatch(/abcdefgh|dXNlcjpz|hunter2/);
  });

  it('the logger writes for people: time, level, message, details and the stack', () => {
    const { logger, lines } = capture({ format: 'pretty' });
    logger.warn({ stage: 'canary', n: 3, err: new Error('boom') }, 'paused');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}paused stage=canary n=3\nError: boom\n/);
  });

  it.each([
    ['no JSON at all\n', 'no JSON at all\n'],
    ['{"level":35,"msg":"m"}', '35    m\n'],
    ['{"level":50}', 'ERROR\n'],
  ])('the logger prints %j', (line, wanted) => {
    expect(toPrettyLine(line, false)).toBe(wanted);
  });

  it('the logger colours the level where asked to', () => {
    expect(toPrettyLine('{"level":50,"msg":"m"}', true)).toContain('\u001b[31mERROR');
  });
});

describe('createRepetitions', () => {
  it('createRepetitions lets a line through at first, later with the number of repetitions, and as new after a long silence', () => {
    let now = 0;
    const repetitions = createRepetitions({ everyMs: 100, nowMs: () => now });
    const at = (atMs: number): number | undefined => {
      now = atMs;
      return repetitions.count('a');
    };
    expect([0, 10, 90].map(at)).toEqual([0, undefined, undefined]);
    expect(repetitions.count('b')).toBe(0);
    expect([100, 150, 350].map(at)).toEqual([3, undefined, 0]);
  });
});

describe("Temporal's logger", () => {
  it("Temporal's logger writes what Temporal logs at our level", () => {
    const { logger, entries } = capture({ level: 'warn' });
    const temporal = createTemporalLogger(logger);
    temporal.info('not this');
    temporal.warn('this', { taskToken: 'x', workflowId: 'w' });
    temporal.error('and this');
    expect(entries()).toMatchObject([
      { level: 40, msg: 'this', taskToken: '[redacted]', workflowId: 'w' },
      { level: 50, msg: 'and this' },
    ]);
  });

  it("Temporal's logger leaves what failures say out where facts are masked, and keeps where and of which type they were", () => {
    const { logger, entries } = capture();
    const temporal = createTemporalLogger(logger, { withoutTexts: true });
    const error = Object.assign(new Error('SECRET'), { type: 'FactInvalid' });
    temporal.warn('Activity failed', { workflowId: 'w', attempt: 2, error, details: 'SECRET' });
    temporal.error('Failing workflow task: SECRET', { error: 'SECRET' });
    temporal.error('Alert not delivered\nSECRET', { error: new TypeError('SECRET') });
    expect(entries()).toMatchObject([
      { msg: 'Activity failed', workflowId: 'w', attempt: 2, failureType: 'FactInvalid' },
      { msg: 'Failing workflow task', failureType: 'unknown' },
      { msg: 'Alert not delivered', failureType: 'TypeError' },
    ]);
    expect(JSON.stringify(entries())).not.toContain('SECRET');
  });

  it("Temporal's logger writes a failure that repeats once, and one of another workflow or type beside it", () => {
    const { logger, entries } = capture();
    const temporal = createTemporalLogger(logger);
    const failed = (workflowId: string, type: string): void =>
      temporal.warn('Activity failed', {
        workflowId,
        activityType: 'recordDecision',
        error: { type, message: 'down' },
      });
    for (let time = 0; time < 5; time += 1) failed('a', 'AuditWriteFailed');
    failed('b', 'AuditWriteFailed');
    failed('a', 'PolicyUnavailable');
    expect(entries().map(({ workflowId }) => workflowId)).toEqual(['a', 'b', 'a']);
  });

  it("Temporal's logger leaves out the text of a failure about facts", () => {
    const { logger, lines } = capture();
    const error = { type: 'FactInvalid', message: 'expected a number, got SECRET' };
    createTemporalLogger(logger).warn('Activity failed', { workflowId: 'w', error });
    expect(lines[0]).toContain('FactInvalid');
    expect(lines[0]).not.toContain('SECRET');
  });

  it("Temporal's logger obeys options that change after it was made: a second worker may mask", () => {
    const { logger, lines } = capture();
    const options = { withoutTexts: false };
    const temporal = createTemporalLogger(logger, options);
    temporal.warn('first: shown');
    options.withoutTexts = true;
    temporal.warn('second: hidden');
    expect([lines[0]?.includes('shown'), lines[1]?.includes('hidden')]).toEqual([true, false]);
  });

  it.each([
    ['trace', 'TRACE'],
    ['info', 'INFO'],
    ['silent', 'ERROR'],
  ] as const)("Temporal's logger at our level %s asks for %s", (level, wanted) => {
    expect(createTemporalLogger(capture({ level }).logger).level).toBe(wanted);
  });
});
