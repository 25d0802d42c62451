import type { HistogramCell } from './cells.js';
import type { Counter, Gauge, Histogram } from './metrics.js';

/** One metric in the Prometheus text format 0.0.4: help, type, then a line per value. */
export function renderFamily(family: Counter | Gauge | Histogram): string {
  const lines = family.kind === 'histogram' ? histogramLines(family) : valueLines(family);
  return [`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${family.kind}`, ...lines, ''].join('\n');
}

function valueLines(family: Counter | Gauge): string[] {
  return [...family.cells()].map(({ values, cell }) => `${family.name}${braces(pairs(family.labelNames, values))} ${numberText(cell.value)}`);
}

function histogramLines(family: Histogram): string[] {
  return [...family.cells()].flatMap(({ values, cell }) => cellLines(family.name, pairs(family.labelNames, values), cell));
}

function cellLines(name: string, labels: readonly string[], { bounds, counts, sum }: HistogramCell): string[] {
  let total = 0;
  const buckets = [...bounds, Infinity].map((bound, index) => {
    total += counts[index]!;
    return `${name}_bucket${braces([...labels, `le="${numberText(bound)}"`])} ${total}`;
  });
  return [...buckets, `${name}_sum${braces(labels)} ${numberText(sum)}`, `${name}_count${braces(labels)} ${total}`];
}

function pairs(names: readonly string[], values: readonly string[]): string[] {
  return names.map((name, index) => `${name}="${escapeValue(values[index]!)}"`);
}

function braces(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
