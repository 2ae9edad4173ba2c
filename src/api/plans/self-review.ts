import type { JsonObject } from '../../kernel/json';
import type { Principal } from '../rpc/role';

/** Where Kubernetes' clients ask who they are: `kubectl auth whoami`. */
export const SELF_REVIEW_PATH = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

/** `true` for a caller who acts for whoever runs its command: it may name others. */
export const NAMES_OTHERS = 'gate/names-others';

const MOST_NAME = 256;

/** Who calls, as the server knows it. */
export function selfReview({ actor, roles, namesActor = false }: Principal): JsonObject {
  const extra: JsonObject = namesActor ? { extra: { [NAMES_OTHERS]: ['true'] } } : {};
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: {},
    status: { userInfo: { username: actor, groups: [...roles], ...extra } },
  };
}

/** Who runs the command that asks, percent-encoded; it counts where the caller may name others. */
export const ACTOR_HEADER = 'x-gate-actor';

/** A caller by the name of whoever it acts for. */
export function actingFor(caller: Principal, header: string | readonly string[] | undefined): Principal {
  if (caller.namesActor !== true || typeof header !== 'string') return caller;
  try {
    const actor = decodeURIComponent(header);
    return actor === '' || actor.length > MOST_NAME ? caller : { ...caller, actor };
  } catch {
    return caller;
  }
}
