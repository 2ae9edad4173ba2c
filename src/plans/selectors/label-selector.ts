/** A selector as objects hold it (`spec.planSelector`); everything matches one that says nothing. */
export interface LabelSelector {
  matchLabels?: Readonly<Record<string, string>>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

type Labels = Readonly<Record<string, string>>;

const NO_LABELS: Labels = {};

/** Whether labels fit a selector; an operator that is not known matches nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels = NO_LABELS): boolean {
  return firstMismatch(selector, labels) === undefined;
}

/**
 * The first requirement that labels do not meet, as a sentence for people: `label tier is "silver", expected "gold"`.
 *
 * @returns undefined when they meet all
 */
export function firstMismatch(selector: LabelSelector | undefined, labels: Labels = NO_LABELS): string | undefined {
  if (selector === undefined) return undefined;
  const { matchLabels, matchExpressions } = selector;
  for (const key in matchLabels) {
    const wanted = matchLabels[key]!;
    const found = own(labels, key);
    if (found !== wanted) return `label ${key} ${shown(found)}, expected ${JSON.stringify(wanted)}`;
  }
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    const found = own(labels, key);
    if (meets(operator, found, values)) continue;
    const wanted = values.length === 0 ? operator : `${operator} (${values.join(', ')})`;
    return `label ${key} ${shown(found)}, expected ${wanted}`;
  }
  return undefined;
}

/** `NotIn` and `DoesNotExist` match an absent key, as in Kubernetes. */
function meets(operator: string, found: string | undefined, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return found !== undefined && values.includes(found);
    case 'NotIn':
      return found === undefined || !values.includes(found);
    case 'Exists':
      return found !== undefined;
    case 'DoesNotExist':
      return found === undefined;
    default:
      return false;
  }
}

function own(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function shown(value: string | undefined): string {
  return value === undefined ? 'is absent' : `is ${JSON.stringify(value)}`;
}
