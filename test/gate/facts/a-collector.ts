import { createFactCollector, type FactCollector, type FactCollectorOptions } from '../../../src/gate/facts/collector';
import { systemClock, systemTimers } from '../../../src/platform/timers/system-timers';

/** A collector by the machine's own time, with whatever a test puts over it. */
export function aCollector(over: Partial<FactCollectorOptions> = {}): FactCollector {
  return createFactCollector({ clock: systemClock, timers: systemTimers, ...over });
}
