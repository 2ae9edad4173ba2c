import { idleMaskFault, type GivenSchemas } from '../analysis/idle-masks';
import { maskPathFault } from '../../kernel/mask-rule';

/** Where OPA keeps the masks of its decision log, as an entrypoint and as a package. */
export const MASK_ENTRYPOINT = 'system/log/mask';

/** Whether a Rego source has rules below `data.system.log`, by its text: as OPA writes it, or as `log.mask` in `system`. */
export function hasMaskRules(source: string): boolean {
  if (/^\s*package\s+system\s*(\.\s*log\b|\[\s*"log"\s*\])/m.test(source)) return true;
  return /^\s*package\s+system\s*(#.*)?$/m.test(source) && /^\s*(default\s+)?log\b/m.test(source);
}

/**
 * What is wrong with the texts in the source of masks: pointers to what names a decision, and to what no schema has, mask
 * nothing. One that `sprintf` or a further text completes is not known here.
 */
export function maskTextFaults(texts: readonly string[], schemas: GivenSchemas): string[] {
  return texts
    .filter((text) => text.startsWith('/input'))
    .flatMap((pointer) => {
      const fault = maskPathFault(pointer);
      if (fault !== undefined) return [fault];
      const idle = /%|\/$/.test(pointer) ? undefined : idleMaskFault(pointer, schemas);
      return idle === undefined ? [] : [`${pointer} ${idle}`];
    });
}
