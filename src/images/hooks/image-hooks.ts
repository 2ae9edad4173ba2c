import { postJson } from '../../alerts/receivers/webhook';
import { derivedId } from '../../kernel/derived-id';
import { parseDuration } from '../../kernel/duration';
import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import type { HttpFetch } from '../../platform/http/http-client';
import { ImageError, ImageErrorCode } from '../image-error';
import type { ImagePolicy } from '../policies/image-policy';

export type HookEvent = 'before' | 'after' | 'unchanged';

/** The copy that a hook is called for. */
export interface HookedCopy {
  /** the sync: its first run in Temporal */
  run: string;
  /** `registry/repository:tag` */
  source: string;
  digest: string;
  /** `registry/repository:tag` */
  target: string;
}

export interface ImageHooks {
  /**
   * Calls the hooks of a policy one after the other.
   *
   * @throws ImageError ACTION_EXEC_ERROR for the first that did not take it; it names no address and no secret
   */
  call(policy: ImagePolicy, event: HookEvent, copy: HookedCopy): Promise<void>;
}

export interface ImageHooksOptions {
  fetch: HttpFetch;
  /** what an address or a header means, with its secrets read for each call; throws GateError without what is in them */
  readText(text: string): Promise<string>;
  /** attempts in all @default 3 */
  maxAttempts?: number;
  /** @default 250 */
  firstBackoffMs?: number;
}

/** Hooks over HTTP. A call that is made again has the same Idempotency-Key. */
export function createImageHooks({ fetch, readText, ...retries }: ImageHooksOptions): ImageHooks {
  return {
    async call({ id, document }, event, copy) {
      for (const [index, hook] of (document.hooks?.[event] ?? []).entries()) {
        try {
          const url = await readText(hook.url);
          const read = readHttpUrl(url);
          if (typeof read === 'string') throw new Error(`expected its address ${EXPECTED_OF_HTTP_URL[read]}`);
          const headers: Record<string, string> = {};
          for (const [name, text] of Object.entries(hook.headers ?? {})) headers[name] = await readText(text);
          const key = derivedId(
            'image-hook',
            copy.run,
            id,
            event,
            String(index),
            copy.source,
            copy.digest,
            copy.target,
          );
          const timeoutMs = parseDuration(hook.timeout);
          const body = { event, policy: id, ...copy };
          await postJson(fetch, url, body, { ...retries, timeoutMs, headers: { ...headers, 'idempotency-key': key } });
        } catch (error) {
          const message = `the hook ${event} ${index + 1} of ${id}: ${(error as Error).message}`;
          throw new ImageError(ImageErrorCode.ACTION_EXEC_ERROR, message);
        }
      }
    },
  };
}
