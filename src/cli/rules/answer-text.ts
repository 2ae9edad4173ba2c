import type { RuleDomain } from '../../rules/domain';
import type { PolicyAnswer, RulesAnswer } from '../../rules/evaluation/answer';
import { decidingSentence } from '../../rules/evaluation/deciding-sentence';
import type { Subject } from '../../rules/evaluation/evaluation-state';
import type { colorsFor } from '../output';

type Colors = ReturnType<typeof colorsFor>;

/** An answer for people: a line for each policy with why, its candidates below it, then conflicts, actions and refusals. */
export function answerLines(answer: RulesAnswer, domain: RuleDomain, colors: Colors): string[] {
  const { results, conflicts, actions, refusals } = answer;
  const of = (subject: Subject) => subjectText(subject, domain);
  return [
    ...(results.length === 0 ? ['no policy is for this'] : []),
    ...results.flatMap((result) => resultLines(result, of(result.subject), colors)),
    ...conflicts.map(
      ({ subject, kept, dropped, action, sentence }) =>
        `${colors.yellow('conflict')}${of(subject)}: ${action} of ${kept} is kept and that of ${dropped} dropped: ${sentence}`,
    ),
    ...actions.flatMap(({ subject, policies, action, steps, terms }) => [
      `action ${action.name}${of(subject)} (${policies.join(', ')})${steps.length === 0 ? ': nothing to do' : ''}`,
      ...steps.map(({ sentence }) => `  ${sentence}`),
      ...terms.map(({ name, weight, before, after }) => `  ${name}, weight ${weight}: ${difference(before, after)}`),
    ]),
    ...refusals.map(({ subject, sentence }) => `${colors.red('refused')}${of(subject)}: ${sentence}`),
  ];
}

/** `1.5 → 1.2`, or `1.5` where nothing changes. */
function difference(before: number, after: number): string {
  const [one, other] = [before, after].map((value) => String(Math.round(value * 1000) / 1000));
  return one === other ? one! : `${one} → ${other}`;
}

/** ` of shard s1`; nothing for no subject. */
function subjectText({ id, names }: Subject, { prefixes }: RuleDomain): string {
  if (id === undefined) return '';
  const all = Object.entries(names ?? { [prefixes.subject]: id });
  return ` of ${all.map(([prefix, name]) => `${prefix} ${name}`).join(', ')}`;
}

function resultLines(result: PolicyAnswer, of: string, colors: Colors): string[] {
  const { policy, matched, preview, outcome, unmet, conditions, candidates = [] } = result;
  const word = matched ? colors.green('matched') : preview ? colors.yellow('preview') : outcome;
  const why = unmet.length > 0 && outcome === 'true' ? `depends on ${unmet.join(', ')}` : decidingSentence(conditions);
  return [
    `${word} ${colors.bold(policy)}${of}: ${why}`,
    ...candidates.map(({ id, kept, reason, score }) => {
      if (!kept) return `  ${id} dropped: ${reason}`;
      return `  ${id} kept${score === undefined ? '' : `, score ${Math.round(score * 1000) / 1000}`}`;
    }),
  ];
}
