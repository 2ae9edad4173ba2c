import { isJsonObject, type JsonObject } from '../../src/kernel/json';

/** A rule that can be asked for by its path: no function, no test. */
export interface RuleName {
  /** without `data` */
  path: readonly string[];
}

/** What is read from a syntax tree (`opa parse --format json --json-include locations`). */
export interface ModuleTree {
  /** without `data` */
  packagePath: readonly string[];
  imports: readonly string[];
  rules: readonly JsonObject[];
}

export function readTree(tree: unknown): ModuleTree {
  const root = isJsonObject(tree) ? tree : {};
  return {
    packagePath: isJsonObject(root.package) ? textsOf(root.package.path).slice(1) : [],
    imports: objects(root.imports).map(importText),
    rules: objects(root.rules),
  };
}

function importText({ path, alias }: JsonObject): string {
  const name = refOf(isJsonObject(path) ? textsOf(path.value) : []);
  return `import ${name}${typeof alias === 'string' ? ` as ${alias}` : ''}`;
}

/** The rules of a module that have a value of their own, each name once. */
export function ruleNames({ packagePath, rules }: ModuleTree): RuleName[] {
  const names = new Map<string, RuleName>();
  for (const { head } of rules) {
    if (!isJsonObject(head) || Array.isArray(head.args)) continue;
    const path = [...packagePath, ...constantPart(head)];
    if (/^(?:todo_)?test_/.test(path.at(-1)!)) continue;
    names.set(JSON.stringify(path), { path });
  }
  return [...names.values()];
}

/** `a.b` of the rule `a.b[x] := …`; a variable right after the name belongs to what the rule is a set or object of. */
function constantPart(head: JsonObject): string[] {
  const ref = objects(head.ref);
  if (ref.length === 0) return typeof head.name === 'string' ? [head.name] : [];
  const end = ref.findIndex(({ type }, at) => at > 0 && type !== 'string');
  return ref.slice(0, end === -1 ? ref.length : end).map(({ value }) => String(value));
}

/** The texts of a reference; a step that is no constant is an empty text. */
export function textsOf(ref: unknown): string[] {
  return objects(ref).map(({ type, value }) => (type === 'var' || type === 'string' ? String(value) : ''));
}

/** The source of a node, as it is written. */
export function sourceOf(node: unknown): string {
  const location = isJsonObject(node) && isJsonObject(node.location) ? node.location : {};
  return typeof location.text === 'string' ? Buffer.from(location.text, 'base64').toString('utf8') : '';
}

export function lineOf(node: unknown): number {
  const location = isJsonObject(node) && isJsonObject(node.location) ? node.location : {};
  return Number(location.row ?? 0);
}

export function objects(list: unknown): JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** A path as Rego writes it: `data.a["b c"]`. */
export function refOf(path: readonly string[]): string {
  return path
    .map((step, at) => (at === 0 ? step : /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join('');
}
