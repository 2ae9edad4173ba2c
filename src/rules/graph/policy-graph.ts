import { isJsonObject, type JsonValue } from '../../kernel/json';
import type { PolicySet } from '../document/read-policies';

/** How one policy needs another, or a fragment. */
export type EdgeKind = 'depends_on' | 'extends' | 'includes';

export interface PolicyGraph {
  /** by name: policies, then templates, then fragments */
  nodes: { name: string; kind: 'policy' | 'template' | 'fragment'; type?: string; disabled?: true }[];
  edges: { from: string; to: string; kind: EdgeKind }[];
}

/** Dependencies, inheritance and includes of all policies, as they are written. */
export function policyGraph({ policies, documents, fragments }: PolicySet): PolicyGraph {
  const names = [...documents.keys()].sort();
  const types = new Map(policies.map(({ name, type }) => [name, type]));
  const templates = names.filter((name) => documents.get(name)!.template === true);
  const fragmentNames = Object.keys(fragments).sort();
  return {
    nodes: [
      ...names
        .filter((name) => !templates.includes(name))
        .map((name) => ({
          name,
          kind: 'policy' as const,
          type: types.get(name)!,
          ...(documents.get(name)!.enabled === false ? { disabled: true as const } : {}),
        })),
      ...templates.map((name) => ({ name, kind: 'template' as const })),
      ...fragmentNames.map((name) => ({ name, kind: 'fragment' as const })),
    ],
    edges: [
      ...names.flatMap((from) => {
        const document = documents.get(from)!;
        return [
          ...(document.dependsOn ?? []).map((to) => ({ from, to, kind: 'depends_on' as const })),
          ...(document.extends === undefined ? [] : [{ from, to: document.extends, kind: 'extends' as const }]),
          ...includesOf(document.conditions).map((to) => ({ from, to, kind: 'includes' as const })),
        ];
      }),
      ...fragmentNames.flatMap((from) =>
        includesOf(fragments[from]).map((to) => ({ from, to, kind: 'includes' as const })),
      ),
    ],
  };
}

const WORDS: Record<EdgeKind, string> = { depends_on: 'depends on', extends: 'extends', includes: 'includes' };

/** A line for each policy, template and fragment, with what it needs below it. */
export function graphLines({ nodes, edges }: PolicyGraph): string[] {
  return nodes.flatMap(({ name, kind, type, disabled }) => [
    `${name} (${type ?? kind}${disabled === true ? ', disabled' : ''})`,
    ...edges.filter(({ from }) => from === name).map((edge) => `  ${WORDS[edge.kind]} ${edge.to}`),
  ]);
}

/** A Mermaid flowchart: an arrow from what needs to what is needed. */
export function graphMermaid({ nodes, edges }: PolicyGraph): string[] {
  // A policy and a fragment may have one name, and a name may have any character.
  const idOf = (name: string, isFragment: boolean) =>
    `n${nodes.findIndex((node) => node.name === name && (node.kind === 'fragment') === isFragment)}`;
  const shapes = { policy: ['["', '"]'], template: ['[/"', '"/]'], fragment: ['(["', '"])'] } as const;
  const fragmentEdges = new Set(edges.filter(({ kind }) => kind === 'includes'));
  return [
    'flowchart LR',
    ...nodes.map(({ name, kind, type }, at) => {
      const [open, close] = shapes[kind];
      return `  n${at}${open}${mermaidText(name)}${type === undefined ? '' : `<br/>${mermaidText(type)}`}${close}`;
    }),
    ...edges.map((edge) => {
      const isOfFragment =
        fragmentEdges.has(edge) && !nodes.some(({ name, kind }) => name === edge.from && kind !== 'fragment');
      const arrow = edge.kind === 'depends_on' ? '-->' : '-.->';
      return `  ${idOf(edge.from, isOfFragment)} ${arrow}|${WORDS[edge.kind]}| ${idOf(edge.to, edge.kind === 'includes')}`;
    }),
  ];
}

/** Mermaid reads entities in texts; everything else in quotes stands for itself. */
function mermaidText(text: string): string {
  return text.replaceAll(/[#"<>&\n]/g, (character) => `#${character.codePointAt(0)};`);
}

/** Fragments that conditions include, each once, in their order. */
export function includesOf(conditions: JsonValue | undefined): string[] {
  const names: string[] = [];
  const collect = (item: JsonValue | undefined): void => {
    if (Array.isArray(item)) item.forEach(collect);
    else if (isJsonObject(item)) {
      if (typeof item.include === 'string' && Object.keys(item).length === 1) names.push(item.include);
      else for (const key of ['all', 'any', 'not']) collect(item[key]);
    }
  };
  collect(conditions);
  return [...new Set(names)];
}
