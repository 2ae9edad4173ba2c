import { SimplePlugin } from '@temporalio/plugin';
import { createActivities } from './activities/create-gate-activities';
import type { GateActivities } from './activities/gate-activities';
import type { LoadedSettings } from './config/loaders/settings';
import { toLoaded } from './gate';
import { createServices, type ServiceOptions } from './services';

/** The gate's activities for a worker of your own, and how to end what they hold. */
export interface OpenGateActivities {
  activities: GateActivities;
  close(): Promise<void>;
}

/**
 * Opens the gate's services and gives its activities, to be registered with a worker whose workflows call `awaitGate`.
 *
 * @param settings settings, or the path of a settings file
 * @throws GateError ConfigInvalid
 */
export async function createGateActivities(
  settings?: string | LoadedSettings,
  options: ServiceOptions = {},
): Promise<OpenGateActivities> {
  const services = await createServices(await toLoaded(settings, options.env), { ...options, overTemporal: true });
  return { activities: createActivities(services), close: () => services.close() };
}

/** A worker plugin: `Worker.create({ …, plugins: [gatePlugin(open)] })` registers the gate's activities beside your own. */
export function gatePlugin({ activities }: OpenGateActivities): SimplePlugin {
  return new SimplePlugin({ name: 'planning-engine.gate', activities });
}
