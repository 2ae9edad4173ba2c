import type { HttpProviderConfig } from '../../../releases/config/release-config';
import { allOrFaults } from '../../../kernel/all-or-faults';
import { FailureType, faultsToError, type Fault } from '../../../kernel/failures';
import type { JsonObject, JsonValue } from '../../../kernel/json';
import { checkUrl, redactUrl } from '../../../platform/sources/url';
import type { ProviderKind } from '../provider-kind';
import { compileAnswerSchema, type AnswerCheck } from './answer-schema';
import { factFailure } from './fact-failure';
import { selectorGaps } from './selector-gaps';
import { compileSelector, isSelector, type Selector } from './select-value';
import { createSource } from './source';
import { readSourceTime } from './source-time';

/** Any JSON over HTTP. The URL may hold parameters, each percent-encoded. */
export const http: ProviderKind<HttpProviderConfig> = {
  type: 'http',
  create(factId, config, schema, deps) {
    const place = `facts.${factId}`;
    const [, source, selectValue, selectTime, checkAnswer] = allOrFaults(
      () => checkUrl(config.url, `${place}.url`),
      () => createSource(factId, config, schema, deps, { url: config.url }),
      () => compileSelector(config.value, `${place}.value`),
      () => (config.time === undefined ? undefined : compileSelector(config.time, `${place}.time`)),
      () => answerCheck(config, place),
    );
    return {
      factId,
      description: config.description ?? `${factId} from JSON over HTTP`,
      schema,
      source: `http ${redactUrl(config.url)}`,
      async collect(target, signal) {
        const url = source.fill(config.url, target);
        const { body, answeredAtMs } = await source.ask(url, target, signal);
        const invalid = (what: string, cause?: unknown): Error =>
          factFailure(FailureType.FactInvalid, { factId, url }, what, { cause });
        const wrong = checkAnswer?.(body);
        if (wrong !== undefined) throw invalid(`gave an answer that does not fit ${place}.answer: ${wrong}`);
        const pick = (select: Selector, expression: string): JsonValue | undefined => {
          try {
            return select(body);
          } catch (cause) {
            throw invalid(`does not fit '${expression}'`, cause);
          }
        };
        const value = pick(selectValue, config.value);
        if (value === undefined || value === null) return source.missing(url, `answered nothing at '${config.value}'`);
        if (selectTime === undefined) return { value, observedAtMs: answeredAtMs, source: `http ${redactUrl(url)}` };
        const time = pick(selectTime, config.time ?? '');
        if (time === undefined || time === null) throw invalid(`answered no time at '${config.time}'`);
        const observedAtMs = readSourceTime(time, { factId, url }, `the time at '${config.time}'`);
        return { value, observedAtMs, source: `http ${redactUrl(url)}` };
      },
    };
  },
};

/**
 * The check of a whole answer before anything is selected from it. An expression that does more than name a path needs
 * one: it can turn an absent field into a value (`sum(items[].count)` is 0 when the source renames `items`).
 */
function answerCheck(config: HttpProviderConfig, place: string): AnswerCheck | undefined {
  const { answer } = config;
  const expressions = { value: config.value, ...(config.time === undefined ? {} : { time: config.time }) };
  const faults: Fault[] = [];
  const compiled = answer === undefined ? undefined : compileAnswerSchema(answer as JsonObject, `${place}.answer`);
  for (const [key, expression] of Object.entries(expressions)) {
    const where = `${place}.${key}`;
    if (!isSelector(expression)) continue;
    const gaps = selectorGaps(expression, (answer ?? {}) as JsonObject);
    if (gaps === undefined) continue;
    if (compiled === undefined) {
      const message = `Expected ${place}.answer, a JSON Schema of the whole answer: ${where} '${expression}' does more than name a path, and could make a value of an absent field`;
      faults.push({ type: FailureType.ConfigInvalid, message, where: `${place}.answer` });
      continue;
    }
    for (const gap of gaps) {
      const message = `Expected ${place}.answer to make sure of all that ${where} '${expression}' reads, but ${gap}`;
      faults.push({ type: FailureType.ConfigInvalid, message, where: `${place}.answer` });
    }
  }
  if (faults.length > 0) throw faultsToError(faults);
  return compiled;
}
