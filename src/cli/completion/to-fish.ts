import { allCommands, type CommandTree, type CompletedOption, type Values } from './command-tree';

/** Completion for fish 3 and later. */
export function toFish(tree: CommandTree): string {
  const commands = allCommands(tree);
  return [
    `function __${tree.name}_path`,
    `    set -l path ${tree.name}`,
    '    for word in (commandline -opc)[2..]',
    '        switch "$path $word"',
    `            case ${commands
      .slice(1)
      .map(({ path }) => quoted(path))
      .join(' ')}`,
    '                set path "$path $word"',
    '        end',
    '    end',
    '    echo $path',
    'end',
    `complete -c ${tree.name} -f`,
    ...commands.flatMap((command) => linesOf(tree.name, command)),
    '',
  ].join('\n');
}

function linesOf(root: string, { path, options, commands, arguments: [first] }: CommandTree): string[] {
  const begin = `complete -c ${root} -n ${quoted(`test (__${root}_path) = "${path}"`)}`;
  return [
    ...commands.map(({ name, summary }) => `${begin} -a ${name} -d ${quoted(summary)}`),
    ...(first === undefined || first.values === 'anything' ? [] : [`${begin}${valueFlags(first.values, '')}`]),
    ...options.map((option) => `${begin}${nameFlags(option)} -d ${quoted(option.description)}`),
  ];
}

function nameFlags({ names, values }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`));
  return flags.join('') + (values === undefined ? '' : valueFlags(values, ' -r'));
}

function valueFlags(values: Values, required: string): string {
  if (values === 'files') return `${required} -F`;
  return values === 'anything' ? `${required} -f` : `${required} -f -a ${quoted(values.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
