import { createInterface } from 'node:readline';
import { openImages } from '../src/images/service/open-images';
import { runSync } from '../src/images/sync/run-sync';
import { loadSettings } from '../src/settings/load-settings';

/** What one sync did. */
export interface MeasuredSync {
  seconds: number;
  /** processor time, user's and system's */
  cpuSeconds: number;
  copied: number;
  skipped: number;
  errors: number;
  /** MiB resident before it, and at most since the process began */
  idleMiB: number;
  peakMiB: number;
}

/**
 * Syncs what a settings file says as often as a line of standard input asks for it, in a process of its own, as a worker does it.
 * Each sync has new connections, and a cache that is empty.
 */
async function main(): Promise<void> {
  for await (const settings of createInterface({ input: process.stdin })) {
    const images = openImages(await loadSettings(settings, {}, '/'), { env: {} });
    const idleMiB = process.memoryUsage().rss / 2 ** 20;
    const cpu = process.cpuUsage();
    const from = process.hrtime.bigint();
    const { totals } = await runSync(await images.context(), { concurrency: images.concurrency });
    const used = process.cpuUsage(cpu);
    const seconds = Number(process.hrtime.bigint() - from) / 1e9;
    await images.close();
    const { tagsCopied: copied, tagsSkipped: skipped, errors } = totals;
    const measured: MeasuredSync = {
      ...{ seconds, copied, skipped, errors, idleMiB },
      cpuSeconds: (used.user + used.system) / 1e6,
      peakMiB: process.resourceUsage().maxRSS / 1024,
    };
    process.stdout.write(`${JSON.stringify(measured)}\n`);
  }
}

void main();
