import { allCommands, type CommandTree, type CompletedOption, type Values } from './command-tree';

/** Completion for zsh 5 and later: to be put into a folder of `fpath` as `_gate`, or to be evaluated after `compinit`. */
export function toZsh(tree: CommandTree): string {
  return [
    `#compdef ${tree.name}`,
    ...allCommands(tree).flatMap(functionOf),
    // Loaded by compinit, the file is the function; evaluated, it only declares it.
    `if [[ \${funcstack[1]} == _${tree.name} ]]; then`,
    `  _${tree.name} "$@"`,
    'else',
    `  compdef _${tree.name} ${tree.name}`,
    'fi',
    '',
  ].join('\n');
}

const nameOf = (path: string): string => `_${path.replace(/[^a-z]+/g, '_')}`;

function functionOf({ path, options, commands, arguments: list }: CommandTree): string[] {
  const places =
    commands.length > 0
      ? ["'1:command:->command'", "'*::argument:->argument'"]
      : list.map(({ name, values }, at) => quoted(`${at + 1}:${colons(name)}:${actionOf(values)}`));
  const begin = [
    `${nameOf(path)}() {`,
    ...(commands.length > 0 ? ['  local curcontext="$curcontext" state line', '  typeset -A opt_args'] : []),
    `  _arguments -C -s : \\`,
    ...[...options.flatMap(optionSpecs), ...places].map(
      (spec, at, all) => `    ${spec}${at + 1 < all.length ? ' \\' : ''}`,
    ),
  ];
  if (commands.length === 0) return [...begin, '}'];
  return [
    ...begin,
    '  case $state in',
    '    command)',
    '      local -a commands=(',
    ...commands.map(({ name, summary }) => `        ${quoted(`${name}:${colons(summary)}`)}`),
    '      )',
    '      _describe command commands ;;',
    '    argument)',
    '      case ${line[1]} in',
    ...commands.map((command) => `        ${command.name}) ${nameOf(command.path)} ;;`),
    '      esac ;;',
    '  esac',
    '}',
  ];
}

/** Both names of an option exclude each other, unless it may be repeated. */
function optionSpecs({ names, description, values, repeatable }: CompletedOption): string[] {
  const others = repeatable ? '*' : `(${names.join(' ')})`;
  const explained = `[${description.replace(/[\\[\]]/g, '\\$&')}]`;
  const value = values === undefined ? '' : `:value:${actionOf(values)}`;
  // `--name=value` as well as `--name value`.
  const joined = (name: string): string => (values !== undefined && name.startsWith('--') ? `${name}=` : name);
  return names.map((name) => quoted(`${others}${joined(name)}${explained}${value}`));
}

function actionOf(values: Values): string {
  if (values === 'files') return '_files';
  return values === 'anything' ? ' ' : `(${values.join(' ')})`;
}

function colons(text: string): string {
  return text.replace(/[\\:]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
