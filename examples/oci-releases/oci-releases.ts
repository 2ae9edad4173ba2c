import { createGate, loadSettings, releasesFromObjects, type GateLibrary, type ServiceOptions } from 'planning-engine';
import { OciObjects, type OciPlace } from './oci-objects';

/**
 * A gate whose releases come from an OCI registry. `createGateActivities` takes the same `releaseSource`.
 *
 * @param settings path of a settings file; `release.verificationKey`, `release.digests` and the rest count as for S3
 */
export async function openGate(settings: string, place: OciPlace, options: ServiceOptions = {}): Promise<GateLibrary> {
  const loaded = await loadSettings(settings, options.env ?? process.env, process.cwd());
  const url = `${place.registry.replace(/^https?:/, 'oci:')}/${place.repository}/${place.tag}/${place.manifest}`;
  const releaseSource = releasesFromObjects(loaded, { url, objects: new OciObjects(place), env: options.env });
  return createGate(loaded, { ...options, releaseSource });
}
