import { FailureType, GateError } from '../../kernel/failures';
import type { StateSource } from '../../rules/execution/state-source';
import { ManagerError } from '../manager/manager-error';
import type { ShardManager } from '../manager/shard-manager';

/** The state as the shard manager has it. Its steps can be bound to the version that was read. */
export function stateOfManager(manager: ShardManager, url: string): StateSource {
  return {
    read: async (signal) => {
      try {
        return { document: await manager.state(signal), source: url, guardsVersion: true };
      } catch (error) {
        if (!(error instanceof ManagerError)) throw error;
        const type = error.retryable ? FailureType.FactSourceUnavailable : FailureType.FactInvalid;
        throw new GateError(type, error.message, [{ type, message: error.message, where: url }], { cause: error });
      }
    },
  };
}
