import { describe, expect, it } from '@jest/globals';
import { promqlAges, sampleTimeQuery } from '../../../src/platform/sources/promql-selectors';

describe('the questions for the age of a PromQL query', () => {
  it.each([
    ['m', ['min(timestamp(m))']],
    ['m{job="a"}', ['min(timestamp(m{job="a"}))']],
    ['{__name__=~"a.*"}', ['min(timestamp({__name__=~"a.*"}))']],
    ['m offset 5m', ['min(timestamp(m offset 300000ms))']],
    ['m offset -1m30s', ['min(timestamp(m offset -90000ms))']],
    ['m offset 90', ['min(timestamp(m offset 90000ms))']],
    ['m @ start()', ['min(timestamp(m))']],
    ['m @ end() offset 1m', ['min(timestamp(m offset 60000ms))']],
    [
      'sum(rate(errors[5m] offset 1h)) / sum(rate(all[5m]))',
      ['min(timestamp(errors offset 3600000ms))', 'min(timestamp(all))'],
    ],
    ['max_over_time((rate(m[1m] offset 1m))[1h:1m] offset 2m)', ['min(timestamp(m offset 180000ms))']],
    ['m / m', ['min(timestamp(m))']],
    ['m - m offset 1d', ['min(timestamp(m))', 'min(timestamp(m offset 86400000ms))']],
    ['m > m @ 1609746000', ['min(timestamp(m))']],
    ['a or b', ['min(timestamp(a))', 'min(timestamp(b))']],
    ['-m offset 5m', ['min(timestamp(m offset 300000ms))']],
    ['a - b - c offset 5m', ['min(timestamp(a))', 'min(timestamp(b))', 'min(timestamp(c offset 300000ms))']],
    ['time()', []],
    ['vector(1)', []],
  ])('%s asks %j', (query, expected) => {
    const { selectors, unclear } = promqlAges(query);
    expect({ asked: selectors.map((selector) => sampleTimeQuery(selector)), unclear }).toEqual({
      asked: expected,
      unclear: undefined,
    });
  });

  it.each([
    ['rate(m[5m]) keep_metric_names', 'it is not plain PromQL'],
    ['(a - b) offset 5m', 'it is not plain PromQL'],
    ['m{', 'it is not plain PromQL'],
    ['m or vector(0)', 'its `or` answers when there are no samples'],
    ['sum(m) or on() vector(0)', 'its `or` answers when there are no samples'],
    ['absent(m)', 'absent answers when there are no samples'],
    ['absent_over_time(m[5m])', 'absent_over_time answers when there are no samples'],
    ['m @ 1609746000', 'it looks at a fixed time alone (@)'],
    ['m offset (1m + 1m)', 'the offset of m is not a plain duration'],
    [Array.from({ length: 17 }, (_, at) => `m${at}`).join(' + '), 'it has more than 16 selectors'],
  ])('%s leaves the age unclear: %s', (query, why) => {
    expect(promqlAges(query).unclear).toBe(why);
  });

  it('name the recording rules, whose age is that of the rule', () => {
    expect(promqlAges('job:errors:rate5m / job:all:rate5m > on() m').recordingRules).toEqual([
      'job:errors:rate5m',
      'job:all:rate5m',
    ]);
  });
});
