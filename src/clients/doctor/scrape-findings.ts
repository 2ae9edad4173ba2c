import { scrapeIntervalMs } from '../../gate/facts/providers/scrape-interval';
import { parseDuration } from '../../kernel/duration';
import { withSignal } from '../../platform/timers/with-signal';
import { openReleaseSource } from '../../releases/sources/open-release-source';
import type { LoadedSettings } from '../../settings/load-settings';
import { attempt, type Finding } from './finding';

const ASK_WITHIN_MS = 5_000;

/**
 * Facts of Prometheus whose maximum age is below the scrape interval and `recheckEvery` together: a sample is that old before
 * the next one is scraped and looked at, so that such a fact is stale now and again though nothing is wrong. Empty where all
 * are well, and where the release cannot be read, which is a finding of its own.
 */
export async function scrapeFindings(loaded: LoadedSettings, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const read = await attempt(async () => {
    const source = openReleaseSource(loaded, { env });
    return { config: await (await source.read()).loadConfig(), configFolder: source.configFolder };
  });
  if ('error' in read) return [];
  const { configFolder } = read.value;
  const { config, configDocument } = read.value.config;
  const everyMs = parseDuration(config.stages.recheckEvery);
  const found = await Promise.all(
    Object.entries(config.facts).map(async ([factId, fact]): Promise<Finding[]> => {
      if (fact.type !== 'prometheus') return [];
      const deps = { env, configFolder, configDocument };
      const asked = await attempt(() =>
        withSignal({ timeoutMs: ASK_WITHIN_MS }, (signal) => scrapeIntervalMs(factId, fact, deps, signal)),
      );
      const what = 'facts';
      if ('error' in asked) {
        const advice = `See to it that facts.${factId}.maxAge (${fact.maxAge}) is at least the scrape interval and recheckEvery together`;
        return [
          { state: 'note', what, found: `the scrape interval behind ${factId} is unknown: ${asked.error}`, advice },
        ];
      }
      const scrapeMs = asked.value;
      if (scrapeMs === undefined || parseDuration(fact.maxAge) >= scrapeMs + everyMs) return [];
      const intervals = `the scrape interval ${seconds(scrapeMs)} and recheckEvery ${seconds(everyMs)} together`;
      const advice = `Set facts.${factId}.maxAge to ${seconds(scrapeMs + everyMs)} or more, or scrape more often`;
      return [{ state: 'note', what, found: `${factId} has a maxAge of ${fact.maxAge}, below ${intervals}`, advice }];
    }),
  );
  return found.flat();
}

/** As a configuration takes it. */
function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)}s`;
}
