import type { DescService, Message } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createContextKey,
  type ConnectRouter,
  type HandlerContext,
  type Interceptor,
} from '@connectrpc/connect';
import { Health } from '../../proto/grpc/health/v1/health_pb';
import { unknownCaller, type Callers } from './callers';
import type { Refusal, RefusalReason } from './refusals';
import { isAdmitted, ROLES, type Principal, type Role } from './role';

/** A service as the server serves it. */
export interface ServedService {
  service: DescService;
  /** which roles each of its methods admits, by its name; an admin's is never named */
  roles: Readonly<Record<string, readonly Role[]>>;
  route(router: ConnectRouter): void;
  /** what a failure of its use cases is to a client; undefined for what it did not expect */
  toConnectError(error: unknown): ConnectError | undefined;
}

/**
 * Thrown by a method for a caller that it does not admit after all, such as one whose request asks for more than its role may.
 * The client gets PERMISSION_DENIED, and the refusal is told of as those of the guard are.
 */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
}

export interface GuardOptions {
  callers: Callers;
  services: readonly ServedService[];
  openProbes: boolean;
  isWithinQuota(key: string): boolean;
  onRefused(refusal: Omit<Refusal, 'unsaid'>): void;
  onOverQuota?(): void;
  onUnexpected(error: unknown): void;
}

const PRINCIPAL = createContextKey<Principal | undefined>(undefined, { description: 'who calls' });

/** Who makes this call, under the name that the request gives where it may give one. */
export function callerOf(context: Pick<HandlerContext, 'values'>, request: { actor?: string } = {}): Principal {
  const principal = context.values.get(PRINCIPAL)!;
  const { actor = '' } = request;
  return actor === '' || principal.namesActor !== true ? principal : { ...principal, actor };
}

/**
 * Lets a call through when its caller is known, within the quota, has a role that the method admits, and speaks for no one else.
 * A method that no service lists roles for admits every role: reflection, and health where probes need a token.
 */
export function createGuard(options: GuardOptions): Interceptor {
  const { callers, services, openProbes, isWithinQuota, onRefused, onOverQuota, onUnexpected } = options;
  const served = new Map(services.map((one) => [one.service.typeName, one]));

  return (next) => async (request) => {
    const service = request.service.typeName;
    const method = request.method.name;
    const known = served.get(service);
    try {
      if (!(openProbes && service === Health.typeName)) request.contextValues.set(PRINCIPAL, await admit());
      return await next(request);
    } catch (error) {
      if (!(error instanceof CallRefused)) throw toConnectError(error, known);
      tell(request.contextValues.get(PRINCIPAL), 'role', error.message);
      throw new ConnectError(error.message, Code.PermissionDenied);
    }

    function tell(principal: Principal | undefined, reason: RefusalReason, text: string): void {
      const policy = request.stream ? undefined : policyOf(request.message);
      const actor = principal?.actor ?? 'anonymous';
      onRefused({ actor, service, method, reason, message: text, ...(policy === undefined ? {} : { policy }) });
    }

    async function admit(): Promise<Principal> {
      const authorization = request.header.get('authorization');
      const principal = await callers(authorization);
      const message = request.stream ? undefined : request.message;
      const refuse = (reason: RefusalReason, code: Code, text: string): never => {
        tell(principal, reason, text);
        throw new ConnectError(text, code);
      };
      if (principal === undefined) {
        return refuse('unauthenticated', Code.Unauthenticated, unknownCaller(authorization));
      }
      if (!isWithinQuota(principal.key)) {
        onOverQuota?.();
        return refuse('quota', Code.ResourceExhausted, 'Too many requests of this token in a second; try again later');
      }
      const admitted = known?.roles[method] ?? ROLES;
      if (!isAdmitted(principal, admitted)) {
        const wanted = [...admitted, 'admin'].join(', ');
        const text = `Expected one of the roles ${wanted} for ${method}, got ${principal.roles.join(', ')}`;
        return refuse('role', Code.PermissionDenied, text);
      }
      const named = actorOf(message);
      if (named !== undefined && named !== principal.actor && principal.namesActor !== true) {
        const text = `Expected the actor ${principal.actor}, whose token this is, got another one`;
        return refuse('actor', Code.PermissionDenied, text);
      }
      return principal;
    }
  };

  function toConnectError(error: unknown, known: ServedService | undefined): ConnectError {
    if (error instanceof ConnectError) return error;
    const told = known?.toConnectError(error);
    if (told !== undefined) return told;
    onUnexpected(error);
    return new ConnectError('Unexpected failure', Code.Internal);
  }
}

function actorOf(message: Message | undefined): string | undefined {
  const actor = (message as { actor?: unknown } | undefined)?.actor;
  return typeof actor === 'string' && actor !== '' ? actor : undefined;
}

/** Requests name a policy by the oneof `policy`, or several by their names. */
function policyOf(message: Message): { id: string } | { name: string } | undefined {
  const { policy, policies } = message as { policy?: { case?: string; value?: unknown }; policies?: unknown };
  const [name, ...others] = Array.isArray(policies) ? (policies as unknown[]) : [];
  if (typeof name === 'string' && others.length === 0) return { name };
  if (typeof policy?.value !== 'string') return undefined;
  return policy.case === 'policyId' ? { id: policy.value } : { name: policy.value };
}
