import type { ReleaseConfig } from '../../../releases/config/release-config';
import { FailureType, type Fault } from '../../../kernel/failures';
import { agesOf } from './prometheus';

/** What an author should know of the facts that a release configures, though nothing is wrong with them. */
export function factWarnings(facts: ReleaseConfig['facts']): Fault[] {
  return Object.entries(facts).flatMap(([factId, config]) => {
    if (config.type !== 'prometheus' || config.timestampQuery !== undefined) return [];
    return agesOf(config).recordingRules.map((rule) => {
      const where = `facts.${factId}.query`;
      const message = `${where}: ${rule} looks like a recording rule, so its age is that of the rule's last evaluation, not of the samples behind it; where those must be fresh too, ask for them or give a timestampQuery`;
      return { type: FailureType.ConfigInvalid, message, where, factId };
    });
  });
}
