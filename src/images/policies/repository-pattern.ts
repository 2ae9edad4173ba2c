import { validPattern } from '../conditions/pattern';
import { isRepositoryName } from '../image-reference';

/** Whether a repository's name fits. */
export type FitsRepository = (repository: string) => boolean;

/**
 * A pattern of repositories: `*` is any text without a slash, `**` any text, everything else is itself.
 *
 * @returns a sentence of what was expected where no repository's name can fit
 */
export function compileRepositoryPattern(pattern: string): FitsRepository | string {
  if (!isRepositoryName(pattern.replaceAll('**', 'x').replaceAll('*', 'x')))
    return `expected a repository in lower case such as team/app or team/*, got ${JSON.stringify(pattern)}`;
  const parts = pattern.split(/(\*\*|\*)/);
  const source = parts
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.]/g, '\\.')))
    .join('');
  // RE2 takes linear time, however many wildcards there are.
  return validPattern(`^${source}$`);
}
