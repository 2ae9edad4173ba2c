import { RE2JS } from 're2js';
import { validPattern } from '../conditions/pattern';
import { isRepositoryName, isTag } from '../image-reference';
import type { ImageMetadata } from '../image-metadata';

/** `{repository}`, `{repository.name}`, `{label:KEY}` and the like in a target's name. */
export interface TargetTemplate {
  /** the name, or a sentence of why there is none for this image */
  fill(image: ImageMetadata): { name: string } | { fault: string };
  /** such as `tag` and `label:KEY` */
  fields: readonly string[];
  /** whether it gives a name for some image */
  couldGive(name: string): boolean;
}

const FIELD = /\{([^{}]*)\}/g;

const FIELDS: Record<string, (image: ImageMetadata) => string | undefined> = {
  registry: ({ registry }) => registry.replaceAll(':', '-'),
  repository: ({ repository }) => repository,
  'repository.name': ({ repository }) => repository.split('/').at(-1),
  tag: ({ tag }) => tag ?? undefined,
  digest: ({ digest }) => digest?.replace(':', '-'),
  architecture: ({ architectures }) => (architectures?.length === 1 ? architectures[0] : undefined),
};

const LABEL = 'label:';

/**
 * Reads a template for a repository's or a tag's name. Values are put in as they are; `:` of a digest and of a registry's port
 * becomes `-`, as no name may hold it.
 *
 * @returns a sentence of what was expected where the template can give no valid name
 */
export function readTargetTemplate(template: string, kind: 'repository' | 'tag'): TargetTemplate | string {
  for (const [whole, field = ''] of template.matchAll(FIELD)) {
    const isKnown = Object.hasOwn(FIELDS, field) || (field.startsWith(LABEL) && field.length > LABEL.length);
    if (!isKnown)
      return `expected one of ${[...Object.keys(FIELDS), `${LABEL}KEY`].map((one) => `{${one}}`).join(', ')}, got ${whole}`;
  }
  if (/[{}]/.test(template.replace(FIELD, '')))
    return `expected fields such as {tag} in pairs of braces, got "${template}"`;
  const isName = kind === 'repository' ? isRepositoryName : isTag;
  const fixed = template.replace(FIELD, 'x');
  if (!isName(fixed)) return `expected a template for a ${kind}'s name, got "${template}"`;
  // RE2 takes linear time, however many fields there are.
  const shape = validPattern(
    `^${template
      .split(FIELD)
      .map((part, index) => (index % 2 === 1 ? '.+' : RE2JS.quote(part)))
      .join('')}$`,
  );
  return {
    fields: [...template.matchAll(FIELD)].map(([, field = '']) => field),
    couldGive: shape,
    fill(image) {
      const lacking: string[] = [];
      const name = template.replace(FIELD, (_whole, field: string) => {
        const value = valueOf(field, image);
        if (value === undefined) lacking.push(field);
        return value ?? '';
      });
      if (lacking.length > 0) return { fault: `${template}: the image has no ${lacking.join(', ')}, or more than one` };
      return isName(name) ? { name } : { fault: `${template} gives "${name}", which is no valid name of a ${kind}` };
    },
  };
}

function valueOf(field: string, image: ImageMetadata): string | undefined {
  if (!field.startsWith(LABEL)) return FIELDS[field]?.(image);
  const key = field.slice(LABEL.length);
  const values = image.labels && Object.hasOwn(image.labels, key) ? image.labels[key] : undefined;
  return values?.length === 1 ? values[0] : undefined;
}
