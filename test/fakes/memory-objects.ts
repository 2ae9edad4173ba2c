import {
  ObjectStoreError,
  PreconditionFailedError,
  type ObjectStore,
  type StoredObject,
  type WriteCondition,
} from '../../src/platform/objects/object-store';

/** Objects in memory. What is asked of them is noted, and a test makes them fail, hang or answer half of what they hold. */
export class MemoryObjects implements ObjectStore {
  /** `get latest.json`, `get latest.json unless 1`, … in order */
  readonly requests: string[] = [];
  /** every request fails with this while it is set */
  failure: ObjectStoreError | undefined;
  /** requests hang while this is set, until it resolves */
  hanging: Promise<unknown> | undefined;
  private readonly objects = new Map<string, StoredObject>();
  private tag = 0;

  constructor(readonly url = 's3://bucket/gate/') {}

  async get(key: string, options: { maxBytes?: number } = {}): Promise<StoredObject | undefined> {
    await this.asked(`get ${checked(key)}`);
    return this.read(key, options);
  }

  async getUnlessSame(key: string, etag: string, options: { maxBytes?: number } = {}) {
    await this.asked(`get ${checked(key)} unless ${etag}`);
    return this.objects.get(key)?.etag === etag ? ('unchanged' as const) : this.read(key, options);
  }

  async put(key: string, bytes: Uint8Array, condition?: WriteCondition): Promise<{ etag: string }> {
    await this.asked(`put ${checked(key)}`);
    const there = this.objects.get(key);
    if (condition && ('ifAbsent' in condition ? there !== undefined : there?.etag !== condition.ifMatch)) {
      throw new PreconditionFailedError(key);
    }
    const etag = String(++this.tag);
    this.objects.set(key, { bytes: bytes.slice(), etag });
    return { etag };
  }

  async delete(key: string): Promise<void> {
    await this.asked(`delete ${checked(key)}`);
    this.objects.delete(key);
  }

  async has(key: string): Promise<boolean> {
    await this.asked(`has ${checked(key)}`);
    return this.objects.has(key);
  }

  async list(prefix: string): Promise<string[]> {
    await this.asked(`list ${prefix}`);
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** what was asked since the last call */
  takeRequests(): string[] {
    return this.requests.splice(0);
  }

  private read(key: string, { maxBytes = Infinity }: { maxBytes?: number }): StoredObject | undefined {
    const found = this.objects.get(key);
    if (found && found.bytes.length > maxBytes) {
      throw new ObjectStoreError(
        `${this.url}${key}: expected at most ${maxBytes} bytes, found ${found.bytes.length}`,
        undefined,
        {
          isTooLarge: true,
        },
      );
    }
    return found && { ...found, bytes: found.bytes.slice() };
  }

  private async asked(request: string): Promise<void> {
    this.requests.push(request);
    await this.hanging;
    if (this.failure) throw this.failure;
  }
}

function checked(key: string): string {
  const isWithin = !/[\\\0]/.test(key) && key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isWithin) throw new TypeError(`Expected a key within the store, got ${JSON.stringify(key)}`);
  return key;
}
