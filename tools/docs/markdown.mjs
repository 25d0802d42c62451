/** One row of a Markdown table. */
export function row(cells) {
  return `| ${cells.map((cell) => String(cell ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** A Markdown table. */
export function table(headings, rows) {
  return [row(headings), row(headings.map(() => '---')), ...rows].join('\n');
}
