import { isComparison, type ImageCondition } from '../conditions/image-condition';
import type { ImagePolicy } from './image-policy';

/** What must be read of an image before a policy can be evaluated for it, beside its name and digest. */
export interface PolicyNeeds {
  /** manifests and configs: labels, annotations, size, time, platforms */
  metadata: boolean;
  /** whether a signature exists */
  signature: boolean;
}

const OF_ITS_NAME = ['tag', 'registry', 'repository'];
/** Fields of templates that the name and the digest have no value for. */
const TEMPLATE_FIELD = /\{(?:architecture|label:)/;

/** What a policy needs; a condition type of a program's own may look at everything. */
export function policyNeeds({ document, conditions, source }: ImagePolicy): PolicyNeeds {
  const compared = conditions.flatMap(comparisonsOf);
  const isFilled = document.actions.some(
    (action) =>
      action.type === 'replicate' &&
      [action.target_repo, action.target_tag, action.backup_tag].some((text) => TEMPLATE_FIELD.test(text ?? '')),
  );
  const needsAge = source?.tags.some(({ needsCreated }) => needsCreated) ?? false;
  const needsSignature = compared.some((field) => field === 'has_signature' || field === 'own');
  const needsMore = compared.some((field) => field === 'more' || field === 'own');
  return { metadata: isFilled || needsAge || needsMore, signature: needsSignature };
}

type Compared = 'name' | 'more' | 'has_signature' | 'own';

function comparisonsOf(condition: ImageCondition): Compared[] {
  if (isComparison(condition)) {
    const { type, key, value } = condition;
    if (OF_ITS_NAME.includes(type)) return ['name'];
    if (type === 'label' || type === 'annotation') return ['more'];
    if (type !== 'metadata') return ['own'];
    const field = key ?? String(value).split('=')[0];
    return [field === 'has_signature' ? field : field === 'digest' ? 'name' : 'more'];
  }
  if ('not' in condition) return comparisonsOf(condition.not);
  return ('all' in condition ? condition.all : condition.any).flatMap(comparisonsOf);
}
