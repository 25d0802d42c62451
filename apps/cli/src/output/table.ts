import { plainLine } from './plain-text.js';

const GAP = '  ';
const SHORTEST = 12;

/** A cell: null and undefined print as a dash. */
export type Cell = string | number | boolean | null | undefined;

/** Columns by heading, in order. */
export type Columns<T> = Record<string, (row: T) => Cell>;

/** Rows under upper-case headings. With `width`, the last columns that do not fit are cut with an ellipsis. */
export function table<T>(columns: Columns<T>, rows: readonly T[], width?: number): string {
  const headings = Object.keys(columns).map((heading) => heading.toUpperCase());
  const body = rows.map((row) => Object.values(columns).map((cell) => cellText(cell(row))));
  return layOut([headings, ...body], width);
}

/** Names and values below one another, for one thing. */
export function fieldList(fields: Record<string, Cell>): string {
  return layOut(Object.entries(fields).map(([name, value]) => [name, cellText(value)]));
}

/** Rows with columns aligned; the last column is cut at the width when one is given. */
export function layOut(rows: readonly string[][], width?: number): string {
  const widths = columnWidths(rows);
  return rows.map((row) => cut(row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(GAP).trimEnd(), width)).join('\n') + (rows.length > 0 ? '\n' : '');
}

/** Text of one cell, safe on a terminal. */
export function cellText(value: Cell): string {
  return value === null || value === undefined || value === '' ? '-' : plainLine(String(value));
}

function columnWidths(rows: readonly string[][]): number[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: count }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
}

function cut(line: string, width: number | undefined): string {
  return width === undefined || width < SHORTEST || line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
