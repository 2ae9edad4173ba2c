import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { FailureType, type Fault } from '../../kernel/failures';
import type { ActionContext, SecretUse } from './action';

// `{{ path.to.value }}` over an ActionContext. Nothing else is a template: no expressions, no defaults, because an absent
// value must stop the action rather than change what it does.

const TEMPLATE = /\{\{\s*(.*?)\s*\}\}/gs;
const ALONE = /^\{\{\s*((?:(?!\}\}).)*?)\s*\}\}$/s;
const PATH = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

export interface RenderOptions {
  /** where the text is, for faults, e.g. `action.body.target` */
  where: string;
  /** collects what is wrong, so that all faults are reported at once */
  faults: Fault[];
  /** applied to each value put into a text; the text around it stays as it is */
  encode?: (text: string) => string;
  /** what `{secret: NAME}` stands for; absent, such an object is an object like any other */
  secrets?: (name: string) => string | undefined;
}

/**
 * `value` with the templates in its string leaves replaced; keys of objects are never templates. A leaf that is one
 * template alone keeps the type of what it names; within a longer text only strings, numbers and booleans fit. An object
 * with the one key `secret` is the secret of that name. An unknown path or secret, a null or an object in a text, and an
 * unclosed `{{` are faults, and the leaf is then left as it was.
 */
export function renderValue(value: JsonValue, context: ActionContext, options: RenderOptions): JsonValue {
  if (typeof value === 'string') {
    const alone = ALONE.exec(value);
    if (alone === null) return renderText(value, context, options);
    const named = resolve(alone[1] ?? '', context, options);
    // Not `??`: a null that is there is a value.
    return named === undefined ? value : named;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => renderValue(item, context, { ...options, where: `${options.where}[${index}]` }));
  }
  if (isSecretUse(value) && options.secrets !== undefined) {
    const secret = options.secrets(value.secret);
    if (secret !== undefined) return secret;
    const message = `Expected the secret at ${options.where} to be one of the worker's settings (actions.secrets), found ${JSON.stringify(value.secret)}`;
    options.faults.push(fault(options.where, message));
    return value;
  }
  if (isJsonObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        renderValue(item, context, { ...options, where: `${options.where}.${key}` }),
      ]),
    );
  }
  return value;
}

/** Every secret that the value names, at any depth. */
export function secretsIn(value: JsonValue): string[] {
  if (isSecretUse(value)) return [value.secret];
  if (Array.isArray(value)) return value.flatMap(secretsIn);
  return isJsonObject(value) ? Object.values(value).flatMap(secretsIn) : [];
}

function isSecretUse(value: JsonValue): value is JsonObject & SecretUse {
  return isJsonObject(value) && typeof value.secret === 'string' && Object.keys(value).length === 1;
}

/** As renderValue, for what must be a text in the end: a URL or a header. */
export function renderText(text: string, context: ActionContext, options: RenderOptions): string {
  const { where, faults, encode = (value: string) => value } = options;
  if (text.replace(TEMPLATE, '').includes('{{')) {
    faults.push(fault(where, `Expected {{ at ${where} to be closed by }}, got ${JSON.stringify(text)}`));
    return text;
  }
  return text.replace(TEMPLATE, (whole: string, path: string) => {
    const value = resolve(path, context, options);
    if (value === undefined) return whole;
    if (value === null || typeof value === 'object') {
      const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
      faults.push(fault(where, `Expected ${path} at ${where} to be a text, a number or a boolean, got ${found}`));
      return whole;
    }
    return encode(String(value));
  });
}

function resolve(path: string, context: ActionContext, { where, faults }: RenderOptions): JsonValue | undefined {
  if (!PATH.test(path)) {
    faults.push(
      fault(where, `Expected {{ … }} at ${where} to hold a path such as attributes.risk, got ${JSON.stringify(path)}`),
    );
    return undefined;
  }
  let value: JsonValue | undefined = { ...context } as JsonObject;
  for (const key of path.split('.')) {
    // Own properties only: `constructor` and the like are no values of a deployment.
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, JsonValue>)[key]
        : undefined;
    if (value === undefined) {
      const roots = Object.keys(context).join(', ');
      faults.push(fault(where, `Unknown path ${path} in the template at ${where}; templates may read ${roots}`));
      return undefined;
    }
  }
  return value;
}

function fault(where: string, message: string): Fault {
  return { type: FailureType.ConfigInvalid, message, where };
}
