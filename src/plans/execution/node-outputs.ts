import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { jsonBytes } from '../../kernel/limits';

/** Of the outputs of all nodes as JSON: they are in one status, and are carried through continue-as-new. */
export const MOST_OUTPUT_BYTES = 256 * 1024;

/** Why a node cannot give these outputs beside those of the others; undefined where it can. */
export function outputsFault(outputs: JsonObject, others: Iterable<JsonObject | undefined>): string | undefined {
  const bytes = [...others].reduce((sum, each) => sum + jsonBytes(each), jsonBytes(outputs));
  if (bytes <= MOST_OUTPUT_BYTES) return undefined;
  return `expected outputs of all nodes of at most ${MOST_OUTPUT_BYTES} bytes of JSON together, got ${bytes}`;
}

const URL_TEXT = /^[a-z][a-z0-9+.-]*:\/\/\S+$/i;

/**
 * The artifacts among the outputs of nodes, in their order: a text that is a URL, and an object with a `url` or a `path`. Each has
 * the name of its output, and its node in `metadata`. All other outputs are values.
 */
export function artifactsOf(nodes: Iterable<readonly [id: string, status: { outputs?: unknown }]>): JsonObject[] {
  return [...nodes].flatMap(([node, { outputs }]) =>
    isJsonObject(outputs as JsonValue)
      ? Object.entries(outputs as JsonObject).flatMap(([name, value]) => artifactOf(node, name, value))
      : [],
  );
}

function artifactOf(node: string, name: string, value: JsonValue): JsonObject[] {
  const metadata = { node };
  if (typeof value === 'string') return URL_TEXT.test(value) ? [{ name, type: 'url', url: value, metadata }] : [];
  if (!isJsonObject(value)) return [];
  const { url, path, type, checksum, size } = value;
  if (typeof url !== 'string' && typeof path !== 'string') return [];
  return [
    {
      name,
      type: typeof type === 'string' ? type : typeof url === 'string' ? 'url' : 'file',
      ...(typeof url === 'string' ? { url } : {}),
      ...(typeof path === 'string' ? { path } : {}),
      ...(typeof checksum === 'string' ? { checksum } : {}),
      ...(typeof size === 'number' ? { size } : {}),
      metadata,
    },
  ];
}
