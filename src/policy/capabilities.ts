import { isJsonObject, type JsonObject } from '../json';

export const HOST_BUILTINS: readonly string[] = ['sprintf'];
const IMPURE = ['http.send', 'rand.intn', 'opa.runtime', 'net.lookup_ip_addr', 'uuid.rfc4122', 'trace'];

/** Capabilities for `opa build --capabilities`. */
export function createCapabilities(current: JsonObject): JsonObject {
  const builtins = Array.isArray(current.builtins) ? current.builtins : [];
  return { ...current, builtins: builtins.filter((one) => isJsonObject(one) && !IMPURE.includes(String(one.name))) };
}
