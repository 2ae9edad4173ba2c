import { FailureType, type Fault } from '../../../kernel/failures';
import { isJsonObject, type JsonValue } from '../../../kernel/json';
import type { FactTarget } from '../fact';

/** The parameters that queries, URLs and headers of facts may hold; a key of attributes may be any but for braces. */
const PARAMETER = /\{([A-Za-z_][^{}"'\s=~!,]*)\}/g;
const NAMES = ['deployment_id', 'stage', 'attributes.NAME', 'stage_attributes.NAME'];

/** Where a parameter is put: what is in the text before it decides how its value is escaped. */
export type Escape = (value: string, before: string, after: string) => string | { fault: string };

/** Every parameter of a template that is not known, so that a misspelt one is found before it is needed. */
export function parameterFaults(template: string, where: string): Fault[] {
  return [...template.matchAll(PARAMETER)]
    .filter(([, name]) => !isKnown(name!))
    .map(([written]) => {
      const message = `Expected the parameters in ${where} to be among ${NAMES.map((name) => `{${name}}`).join(', ')}, found ${written}`;
      return { type: FailureType.ConfigInvalid, message, where };
    });
}

/**
 * Fills in the parameters of a template for one target.
 *
 * @returns the text, or why it cannot be filled: an attribute is absent or no text, number or boolean, or `escape` refused it
 */
export function fillParameters(
  template: string,
  target: FactTarget,
  factId: string,
  escape: Escape,
): { text: string } | { fault: string } {
  let fault: string | undefined;
  const text = template.replace(PARAMETER, (written: string, name: string, at: number) => {
    const value = valueOf(name, target, factId);
    if (value === undefined || value === null) {
      fault ??= `needs ${name}, which the deployment does not have`;
      return written;
    }
    if (typeof value === 'object') {
      fault ??= `needs ${name} as text, number or boolean, found ${Array.isArray(value) ? 'a list' : 'an object'}`;
      return written;
    }
    const escaped = escape(String(value), template.slice(0, at), template.slice(at + written.length));
    if (typeof escaped === 'string') return escaped;
    fault ??= `cannot take ${name}: ${escaped.fault}`;
    return written;
  });
  return fault === undefined ? { text } : { fault };
}

/** Percent-encoded, and nothing that a URL would read as a step to another path. */
export const escapeForUrl: Escape = (value, before, after) => {
  const isWholeSegment = /(^|\/)$/.test(before) && /^($|[/?#])/.test(after);
  if (isWholeSegment && /^\.{0,2}$/.test(value)) {
    return { fault: `${JSON.stringify(value)} is no segment of a path` };
  }
  if (/^[a-z][\w+.-]*:\/\/[^/?#]*$/i.test(before) || before === '')
    return { fault: 'the host of a URL takes no parameter' };
  return encodeURIComponent(value);
};

/** Visible ASCII: a line break would begin another header. */
export const escapeForHeader: Escape = (value) =>
  /^[\t\x20-\x7E]*$/.test(value) ? value : { fault: 'a header takes visible ASCII only' };

function isKnown(name: string): boolean {
  return (
    ['deployment_id', 'deploymentId', 'stage', 'factId'].includes(name) || /^(?:stage_)?attributes\..+$/.test(name)
  );
}

function valueOf(name: string, target: FactTarget, factId: string): JsonValue | undefined {
  if (name === 'stage') return target.stage;
  if (name === 'factId') return factId;
  if (name === 'deployment_id' || name === 'deploymentId') return target.deploymentId;
  const [, group, path] = /^(attributes|stage_attributes)\.(.+)$/.exec(name) ?? [];
  const attributes = group === 'attributes' ? target.attributes : target.stageAttributes;
  if (path === undefined) return undefined;
  if (Object.hasOwn(attributes, path)) return attributes[path];
  let value: JsonValue | undefined = attributes;
  for (const key of path.split('.')) value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}
