import type { LoadedSettings } from '../../settings/load-settings';
import { storeFindings } from './audit-store';
import { attempt, missing, type Finding } from './finding';
import { releaseFinding } from './release';
import { scrapeFindings } from './scrape-findings';
import { alertsFinding, encryptionFinding } from './settings-findings';
import { temporalFinding } from './temporal-server';
import { toolFinding } from './tools';
import { workerFindings } from './workers';

/** What the doctor looks at, and from where. */
export interface DoctorRequest {
  /** opens the settings; its error becomes a finding */
  openSettings(): Promise<LoadedSettings>;
  /** where the settings come from, for people */
  settingsFrom: string;
  /** variables of the process: of Temporal, of tools and of secrets that the settings name */
  env: NodeJS.ProcessEnv;
  /** ends the asking of workers */
  signal: AbortSignal;
}

/**
 * What a worker with these settings would find: tools, settings, release, Temporal, workers, keys, stores and receivers.
 * Changes nothing.
 *
 * @returns one finding or more a subject, in the order in which they are to be mended; without settings only what comes
 *   before them. Throws nothing: an error is a finding
 */
export async function diagnose({ openSettings, settingsFrom, env, signal }: DoctorRequest): Promise<Finding[]> {
  const findings: Finding[] = [
    { state: 'ok', what: 'node', found: `${process.version} on ${process.platform} ${process.arch}` },
    await toolFinding('temporal', 'its dev server; a production worker needs none', env),
    await toolFinding('opa', 'policy authors and tests; a production worker with a bundle needs none', env),
  ];
  const opened = await attempt(openSettings);
  if ('error' in opened) return [...findings, missing('settings', opened.error, 'Correct the settings file')];
  const { value: loaded } = opened;
  findings.push({ state: 'ok', what: 'settings', found: settingsFrom });
  const server = await temporalFinding(loaded, env);
  return [
    ...findings,
    await releaseFinding(loaded, env),
    ...(await scrapeFindings(loaded, env)),
    server,
    ...(server.state === 'ok' ? await workerFindings(loaded, env, signal) : []),
    await encryptionFinding(loaded, env),
    ...(await storeFindings(loaded, env)),
    alertsFinding(loaded),
  ];
}
