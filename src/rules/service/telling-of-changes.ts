import type { RuleService } from './rule-service';

/** The service, which tells of each change that may change what runs by a trigger. One that failed may have been made all the same. */
export function tellingOfChanges(rules: RuleService, onChange: () => void): RuleService {
  const telling =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      call(...args).finally(onChange);
  const { pauses } = rules;
  return {
    ...rules,
    create: telling(rules.create),
    update: telling(rules.update),
    delete: telling(rules.delete),
    rollback: telling(rules.rollback),
    pauses: { ...pauses, pause: telling(pauses.pause), unpause: telling(pauses.unpause) },
  };
}
