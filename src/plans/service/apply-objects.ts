import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import type { PlanObject } from '../object';
import { failure } from '../serving/status-object';
import type { WriteSession } from '../store/plan-store';
import { carriedBy, checkBody, placed, type CheckedBody } from './checked-body';
import { PlanFailure, planFailure } from './plan-failure';
import type { Applied, WriteRequest, Written } from './plan-service';

/** Objects of one apply at most. */
const MOST_OBJECTS = 10_000;

interface Writes {
  createIn(session: WriteSession, checked: CheckedBody, request: WriteRequest): Promise<Written>;
  replaceIn(
    session: WriteSession,
    stored: PlanObject,
    checked: CheckedBody,
    carried: string | undefined,
    request: WriteRequest,
  ): Promise<Written>;
}

/**
 * Creates or replaces objects in one transaction. All of them are checked first, and each fault is a cause with the index of its
 * object; a conflict of one stores none.
 */
export async function applyObjects(
  namespace: string,
  body: JsonValue,
  request: WriteRequest,
  inWrite: <T>(work: (session: WriteSession) => Promise<T>) => Promise<T>,
  { createIn, replaceIn }: Writes,
): Promise<Applied> {
  if (!Array.isArray(body)) throw planFailure('Invalid', 'Expected the body to be a list of objects');
  if (body.length > MOST_OBJECTS) {
    throw planFailure('Invalid', `Expected at most ${MOST_OBJECTS} objects at once, got ${body.length}`);
  }
  const checked = checkAll(namespace, body, request);
  return inWrite(async (session) => {
    const applied: Applied['applied'] = [];
    const warnings: string[] = [];
    for (const [index, each] of checked.entries()) {
      const { kind, object } = each;
      const { name } = object.metadata;
      const written = await writeOne(session, each).catch((error: unknown) => {
        throw error instanceof PlanFailure ? atIndex(error, index, nameOf(object)) : error;
      });
      applied.push({ kind: kind.kind, name, namespace, action: written.action });
      warnings.push(...written.warnings.map((text) => `${kind.kind}/${name}: ${text}`));
    }
    return { applied, warnings };
  });

  async function writeOne(session: WriteSession, each: CheckedBody & { carried?: string }): Promise<Written> {
    const { kind, object, carried } = each;
    const stored = await session.get({ kind: kind.kind, namespace, name: object.metadata.name });
    if (stored !== undefined) return replaceIn(session, stored, each, carried, request);
    if (carried !== undefined) {
      const message = `Conflict: resourceVersion mismatch (expected ${carried}, but there is no such object)`;
      throw planFailure('Conflict', message);
    }
    return createIn(session, each, request);
  }
}

function checkAll(
  namespace: string,
  body: readonly JsonValue[],
  request: WriteRequest,
): (CheckedBody & { carried?: string })[] {
  const causes: JsonObject[] = [];
  const checked = body.flatMap((each, index) => {
    try {
      const carried = carriedBy(each);
      return [
        {
          ...checkBody(placed(each, { namespace }), undefined, request),
          ...(carried === undefined ? {} : { carried }),
        },
      ];
    } catch (error) {
      if (!(error instanceof PlanFailure)) throw error;
      causes.push(...causesOf(error, index, nameOf(each)));
      return [];
    }
  });
  if (causes.length === 0) return checked;
  const { resource, message, field } = causes[0]!;
  const where = typeof field === 'string' && field !== '' ? `${field}: ` : '';
  const more = causes.length === 1 ? '' : ` (and ${causes.length - 1} more)`;
  const text = `Validation failed: ${resource as string}: ${where}${message as string}${more}; nothing was stored`;
  throw new PlanFailure({ ...failure('Invalid', text), details: { causes } });
}

function causesOf({ body, message }: PlanFailure, index: number, resource: string): JsonObject[] {
  const details = isJsonObject(body.details) ? body.details : {};
  const causes = Array.isArray(details.causes) ? details.causes.filter(isJsonObject) : [];
  const said = causes.length === 0 ? [{ reason: body.reason!, message }] : causes;
  return said.map((cause) => ({ index, resource, ...cause }));
}

function atIndex(error: PlanFailure, index: number, resource: string): PlanFailure {
  const causes = causesOf(error, index, resource);
  return new PlanFailure({
    ...error.body,
    message: `${resource}: ${error.message}; nothing was stored`,
    details: { causes },
  });
}

function nameOf(value: unknown): string {
  const { kind, metadata } = isJsonObject(value as JsonValue) ? (value as JsonObject) : {};
  const name = isJsonObject(metadata) ? metadata.name : undefined;
  return `${typeof kind === 'string' ? kind : '?'}/${typeof name === 'string' ? name : '?'}`;
}
