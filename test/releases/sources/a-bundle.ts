import { writeArchive } from '../../../src/rego/bundle/archive/write-archive';

/** A bundle of the right form, whose wasm is only a text: what reads bundles does not run them. */
export function aBundle(text: string): Promise<Uint8Array> {
  const files = {
    'policy.wasm': text,
    'data.json': '{}',
    '.manifest': JSON.stringify({ wasm: [{ entrypoint: 'gate/response', module: '/policy.wasm' }] }),
    'input.json': JSON.stringify({ type: 'object', properties: {}, additionalProperties: false }),
  };
  return writeArchive(new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)])));
}
