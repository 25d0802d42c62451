import type { CommandNode } from './command-tree.js';

/** Script for bash: `source <(gatehouse completion bash)`. */
export function bashCompletion(tree: readonly CommandNode[]): string {
  return `# bash completion for gatehouse
_gatehouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" word
  local -i at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    [[ "$word" == -* ]] && continue
    case "$command $word" in
      ${tree.filter(({ words }) => words.length > 0).map(({ words }) => quoted(` ${words.join(' ')}`)).join('|')}) command="$command $word" ;;
    esac
  done
  case "$command $previous" in
${tree.flatMap(bashValues).join('\n')}
  esac
  case "$command" in
${tree.map((node) => `    ${quoted(prefix(node))}) COMPREPLY=($(compgen -W ${quoted(bashWords(node))} -- "$current")) ;;`).join('\n')}
  esac
}
complete -o default -F _gatehouse gatehouse
`;
}

/** Script for zsh, which runs the one for bash: \`source <(gatehouse completion zsh)\`. */
export function zshCompletion(tree: readonly CommandNode[]): string {
  return `# zsh completion for gatehouse\nautoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashCompletion(tree)}`;
}

/** Script for fish: \`gatehouse completion fish | source\`. */
export function fishCompletion(tree: readonly CommandNode[]): string {
  const lines = tree.flatMap((node) => [...node.children.map((child) => fishChild(node, child)), ...node.options.map((option) => fishOption(node, option))]);
  return `# fish completion for gatehouse\ncomplete -c gatehouse -f\n${lines.join('\n')}\n`;
}

const prefix = (node: CommandNode): string => node.words.map((word) => ` ${word}`).join('');

const bashWords = (node: CommandNode): string => [...node.children.map(({ name }) => name), ...node.options.map(({ flag }) => flag)].join(' ');

function bashValues(node: CommandNode): string[] {
  return node.options
    .filter(({ takesValue }) => takesValue)
    .map(({ flag, values }) => `    ${quoted(`${prefix(node)} ${flag}`)}) ${values.length > 0 ? `COMPREPLY=($(compgen -W ${quoted(values.join(' '))} -- "$current")); ` : ''}return ;;`);
}

function fishChild(node: CommandNode, child: { name: string; summary: string }): string {
  return `complete -c gatehouse -n ${quoted(fishCondition(node))} -a ${quoted(child.name)} -d ${quoted(child.summary)}`;
}

function fishOption(node: CommandNode, option: CommandNode['options'][number]): string {
  const name = option.flag.startsWith('--') ? `-l ${option.flag.slice(2)}` : `-s ${option.flag.slice(1)}`;
  const value = option.takesValue ? ` -r${option.values.length > 0 ? ` -a ${quoted(option.values.join(' '))}` : ' -F'}` : '';
  return `complete -c gatehouse -n ${quoted(fishCondition(node))} ${name}${value} -d ${quoted(option.summary)}`;
}

/** True in fish when the line holds this command's words and none of those below it. */
function fishCondition({ words, children }: CommandNode): string {
  const below = children.filter(({ summary }) => summary !== '').map(({ name }) => name);
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
  return [...seen, ...(below.length > 0 ? [`not __fish_seen_subcommand_from ${below.join(' ')}`] : [])].join('; and ') || 'true';
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
