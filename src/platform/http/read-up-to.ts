/**
 * The bytes of a body; of one that has more than `most`, what is read until it has, so that the length tells. The rest is not
 * read, and its connection is closed.
 *
 * @throws what reading the body throws
 */
export async function readUpTo(body: AsyncIterable<Uint8Array> | null, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > most) break;
  }
  return Buffer.concat(chunks);
}
