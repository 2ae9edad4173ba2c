import type { LoadedSettings } from '../settings/load-settings';
import type { CliIo } from './io';

/** The settings of `--settings`, of GATE_SETTINGS, of a running `gate dev`, or the defaults. */
export async function openLoadedSettings(io: CliIo, path: string | undefined): Promise<LoadedSettings> {
  const [{ loadSettings }, { readDevAddresses }] = await Promise.all([
    import('../settings/load-settings.js'),
    import('../dev/dev-addresses.js'),
  ]);
  if (path !== undefined || io.env.GATE_SETTINGS !== undefined) return loadSettings(path, io.env, io.cwd);
  const dev = readDevAddresses(io.env);
  const loaded = await loadSettings(dev?.settings, io.env, io.cwd);
  if (!dev || !Object.keys(io.env).some((name) => name.startsWith('TEMPORAL_'))) return loaded;
  // Who sets Temporal's own variables means that server, not the one of `gate dev`, which its settings file names.
  return {
    ...loaded,
    settings: {
      ...loaded.settings,
      temporal: { ...loaded.settings.temporal, address: undefined, namespace: undefined },
    },
  };
}
