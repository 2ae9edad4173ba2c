import { createHash, type Hash } from 'node:crypto';
import { RegistryError } from './registry-error';

/** The digest of some bytes, by the algorithm of another digest. */
export function digestLike(digest: string, bytes: Uint8Array): string {
  const algorithm = digest.slice(0, digest.indexOf(':'));
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Compares content with its descriptor while it passes. */
export class ContentCheck {
  private readonly hash: Hash;
  private seen = 0;

  constructor(
    private readonly expected: { digest: string; size: number },
    private readonly what: string,
  ) {
    this.hash = createHash(expected.digest.slice(0, expected.digest.indexOf(':')));
  }

  /** bytes so far */
  get length(): number {
    return this.seen;
  }

  get isComplete(): boolean {
    return this.seen === this.expected.size;
  }

  /** @throws RegistryError `invalid` for more bytes than the descriptor says, and for a wrong digest at its end */
  add(bytes: Uint8Array): void {
    this.seen += bytes.length;
    if (this.seen > this.expected.size) this.fail(`expected ${this.expected.size} bytes, got more`);
    this.hash.update(bytes);
    if (!this.isComplete) return;
    const found = `${this.expected.digest.split(':')[0]}:${this.hash.digest('hex')}`;
    if (found !== this.expected.digest)
      this.fail(`expected the content of ${this.expected.digest}, got that of ${found}`);
  }

  private fail(sentence: string): never {
    throw new RegistryError('invalid', `${this.what}: ${sentence}`);
  }
}
