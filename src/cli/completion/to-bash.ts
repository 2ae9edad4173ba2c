import { allCommands, type CommandTree, type CompletedOption } from './command-tree';

/**
 * Completion for bash, 3.2 and later, which needs nothing but bash. Where it has nothing to offer, readline completes names of
 * files if files fit.
 */
export function toBash(tree: CommandTree): string {
  const commands = allCommands(tree);
  return [
    `_${tree.name}() {`,
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD - 1]}" at words=',
    `  local path=${tree.name} values=none options= commands=`,
    '  # bash splits --option=value into three words.',
    '  if [[ $cur == = ]]; then',
    '    cur=',
    '  elif [[ $prev == = ]]; then',
    '    prev="${COMP_WORDS[COMP_CWORD - 2]}"',
    '  fi',
    '  for ((at = 1; at < COMP_CWORD; at++)); do',
    '    case "$path ${COMP_WORDS[at]}" in',
    `      ${commands
      .slice(1)
      .map(({ path }) => `'${path}'`)
      .join(' | ')})`,
    '        path="$path ${COMP_WORDS[at]}" ;;',
    '    esac',
    '  done',
    '  case "$path" in',
    ...commands.map(
      ({ path, options, commands: below, arguments: [first] }) =>
        `    '${path}') options='${options.flatMap(({ names }) => names).join(' ')}' commands='${below.map(({ name }) => name).join(' ')}'${wordsOf(first?.values)} ;;`,
    ),
    '  esac',
    '  case "$path $prev" in',
    ...commands.flatMap(({ path, options }) =>
      options.filter(({ values }) => values !== undefined).map((option) => optionCase(path, option)),
    ),
    '    *)',
    '      if [[ $cur == -* ]]; then',
    '        words="$options" values=none',
    '      elif [[ -n $commands ]]; then',
    '        words="$commands"',
    '      fi ;;',
    '  esac',
    '  COMPREPLY=()',
    '  # bash 3.2 has no compopt, and offers files then.',
    '  [[ $values == files ]] || compopt +o bashdefault +o default 2> /dev/null',
    '  [[ -z $words ]] || COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    '}',
    `complete -o bashdefault -o default -F _${tree.name} ${tree.name}`,
    '',
  ].join('\n');
}

function optionCase(path: string, { names, values }: CompletedOption): string {
  const pattern = names.map((name) => `'${path} ${name}'`).join(' | ');
  return `    ${pattern})${wordsOf(values) || ' values=none'} ;;`;
}

function wordsOf(values: CompletedOption['values']): string {
  if (values === 'files') return ' values=files';
  return values === undefined || values === 'anything' ? '' : ` words='${values.join(' ')}' values=none`;
}
