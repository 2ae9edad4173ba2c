import { createFactCollector } from '../gate/facts/collector';
import type { FactProvider, FactTarget } from '../gate/facts/fact';
import { createFactRegistry } from '../gate/facts/registry';
import { systemClock, systemTimers } from '../platform/timers/system-timers';
import { rejection, type TestFramework } from './test-framework';

/** A provider under test, and a source that answers as the test says. */
export interface ProviderUnderTest {
  provider: FactProvider;
  /** from now on the source answers well, with another shape, not at all, or never */
  sourceIs(state: 'good' | 'other shape' | 'down' | 'hanging'): Promise<void>;
  close(): Promise<void>;
}

const TARGET: FactTarget = {
  deploymentId: 'fw-1',
  stage: 'canary',
  stageIndex: 0,
  attributes: {},
  stageAttributes: {},
};

/** What every fact provider keeps to, as the gate's collector sees it: one observation, or one of two failures. */
export function describeFactProvider(
  { describe, it, beforeEach, expect }: TestFramework,
  name: string,
  open: () => Promise<ProviderUnderTest>,
): void {
  describe(`fact provider contract on ${name}`, () => {
    let opened: ProviderUnderTest | undefined;
    const using = async (work: (opened: ProviderUnderTest) => Promise<void>): Promise<void> => {
      try {
        await work(opened!);
      } finally {
        await opened!.close();
      }
    };
    beforeEach(async () => void (opened = await open()));
    const collect = ({ provider }: ProviderUnderTest) =>
      createFactCollector({ clock: systemClock, timers: systemTimers }).collect({
        providers: createFactRegistry([
          { provider, type: 'own', configKey: 'own', ttlMs: 0, maxAgeMs: 45_000, timeoutMs: 20_000 },
        ]),
        factIds: [provider.factId],
        target: TARGET,
        allowedClockSkewMs: 2_000,
        circuitBreaker: { failures: 5, halfOpenAfterMs: 60_000 },
      });

    it('a provider names its fact and says where it comes from', () =>
      using(async ({ provider }) => {
        expect(provider.factId).toEqual(expect.stringMatching(/^[A-Za-z_]\w*$/));
        expect(provider.source).toEqual(expect.stringMatching(/./));
        expect(provider.description).toEqual(expect.stringMatching(/./));
      }));

    it('a provider gives a value, and a time of the past or none', () =>
      using(async (one) => {
        await one.sourceIs('good');
        const { facts, faults } = await collect(one);
        expect(faults).toEqual([]);
        expect(facts).toHaveLength(1);
        expect(facts[0]?.observedAtMs).toBeGreaterThan(0);
      }));

    it('a source that is down is FactSourceUnavailable', () =>
      using(async (one) => {
        await one.sourceIs('down');
        expect((await collect(one)).faults).toMatchObject([{ type: 'FactSourceUnavailable' }]);
      }));

    it('an answer of another shape is FactInvalid', () =>
      using(async (one) => {
        await one.sourceIs('other shape');
        expect((await collect(one)).faults).toMatchObject([{ type: 'FactInvalid' }]);
      }));

    it('a provider stops its request once the signal aborts', () =>
      using(async (one) => {
        await one.sourceIs('hanging');
        const controller = new AbortController();
        const failed = rejection(one.provider.collect(TARGET, controller.signal));
        setImmediate(() => controller.abort());
        await failed;
      }));
  });
}
