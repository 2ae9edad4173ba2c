import { isPlatform } from '../../images/platform';
import { isTag, parseImageReference, type ImageReference } from '../../images/image-reference';
import { usageFaults } from '../repeated-options';

/** @throws CliExit 2 with every text that is not a reference */
export function sourceAndTarget(from: string, to: string): { source: ImageReference; target: ImageReference } {
  const [source, target] = [parseImageReference(from), parseImageReference(to)];
  if (typeof source === 'string' || typeof target === 'string')
    throw usageFaults([source, target].filter((one) => typeof one === 'string'));
  return { source, target };
}

/** @throws CliExit 2 with every option that cannot be used */
export function checkCopyOptions({ platform = [], backupTag }: { platform?: string[]; backupTag?: string }): void {
  const faults = platform
    .filter((text) => !isPlatform(text))
    .map((text) => `--platform: expected a platform such as linux/arm64, got ${JSON.stringify(text)}`);
  if (backupTag !== undefined && !isTag(backupTag))
    faults.push(`--backup-tag: expected a tag, got ${JSON.stringify(backupTag)}`);
  if (faults.length > 0) throw usageFaults(faults);
}
