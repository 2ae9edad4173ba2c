import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeFactProvider, type ProviderUnderTest } from '../../../../src/contracts/fact-provider';
import { jestFramework } from '../../../support/jest-framework';
import { aCollector } from '../a-collector';
import type { FactProvider } from '../../../../src/gate/facts/fact';
import { createFactRegistry } from '../../../../src/gate/facts/registry';
import { startScriptedSource, until, type ScriptedSource } from '../../../support/scripted-source';

export const SECRET = 'hunter2';
const target = { deploymentId: 'fw-1', stage: 'canary', stageIndex: 0, attributes: {}, stageAttributes: {} };

/**
 * What every provider that asks a source over HTTP keeps to. `create` makes one for the fact `level`, a number, that
 * sends the secret SECRET as its bearer token to the source at `base`; `answer` is a good body for the value 7.
 */
export function describeProvider(
  name: string,
  create: (base: string) => FactProvider | Promise<FactProvider>,
  answer: unknown,
): void {
  describeFactProvider(jestFramework, name, async () => {
    const source = await startScriptedSource();
    const scripts: Record<Parameters<ProviderUnderTest['sourceIs']>[0], ScriptedSource['script']> = {
      good: (_, response) => void response.end(JSON.stringify(answer)),
      'other shape': (_, response) => void response.end('"text"'),
      down: (_, response) => void response.writeHead(503).end(),
      hanging: () => undefined,
    };
    return {
      provider: await create(source.url),
      sourceIs: async (state) => void (source.script = scripts[state]),
      close: () => source.close(),
    };
  });

  describe(`the provider ${name}`, () => {
    let source: ScriptedSource;
    beforeEach(async () => void (source = await startScriptedSource()));
    afterEach(() => source.close());

    async function collect(timeoutMs = 20_000, base = source.url) {
      const provider = await create(base);
      const times = { ttlMs: 0, maxAgeMs: 45_000, timeoutMs };
      return aCollector().collect({
        providers: createFactRegistry([{ provider, type: name, configKey: name, ...times }]),
        factIds: ['level'],
        target,
        allowedClockSkewMs: 2_000,
        circuitBreaker: { failures: 5, halfOpenAfterMs: 60_000 },
      });
    }

    it('a provider gives the value, with its credential at the source and nowhere else', async () => {
      source.script = (_, response) => void response.end(JSON.stringify(answer));
      const result = await collect();
      expect(result).toMatchObject({ facts: [{ id: 'level', value: 7 }], faults: [] });
      expect(source.requests[0]?.headers.authorization).toBe(`Bearer ${SECRET}`);
      expect(JSON.stringify(result)).not.toContain(SECRET);
    });

    it.each([500, 503, 429, 401, 404])('status %d is FactSourceUnavailable, without the secret', async (status) => {
      source.script = (_, response) => void response.writeHead(status).end(SECRET);
      const { faults } = await collect();
      expect(faults).toMatchObject([{ type: 'FactSourceUnavailable', factId: 'level' }]);
      expect(faults[0]?.message).toContain(String(status));
      expect(JSON.stringify(faults)).not.toContain(SECRET);
    });

    it('a refused connection is FactSourceUnavailable', async () => {
      await source.close();
      expect((await collect()).faults).toMatchObject([{ type: 'FactSourceUnavailable' }]);
    });

    it('a source that hangs costs the time-out, and sees its request aborted', async () => {
      source.script = () => undefined;
      expect((await collect(200)).faults).toMatchObject([{ type: 'FactSourceUnavailable' }]);
      await until(() => source.requests.length > 0 && source.aborted === source.requests.length);
    });

    it('a provider stops its request when told to', async () => {
      source.script = () => undefined;
      const controller = new AbortController();
      const asked = Promise.resolve((await create(source.url)).collect(target, controller.signal));
      const failed = expect(asked).rejects.toThrow();
      await until(() => source.requests.length > 0);
      controller.abort();
      await failed;
      await until(() => source.aborted > 0);
    });

    it.each(['[]', '{}', 'null', '"text"', '{"value":"7"}', '{"value":null}'])('%s is FactInvalid', async (body) => {
      source.script = (_, response) => void response.end(body);
      const { facts, faults } = await collect();
      expect(faults).toMatchObject([{ type: 'FactInvalid', factId: 'level' }]);
      expect(facts).toEqual([]);
    });
  });
}
