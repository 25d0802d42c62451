import { setTimeout as sleep } from 'node:timers/promises';
import { api } from '@gatehouse/contracts';
import type { Command } from 'commander';
import type { z } from 'zod';
import { path } from '../admin-api.js';
import { pastTime } from '../durations.js';
import { timeText, toJsonLine, toYaml, type Format } from '../output/print.js';
import { cellText, table, type Columns } from '../output/table.js';
import { invocation, verb, wholeNumber, type Context, type Invocation } from '../verb.js';

type LogLine = z.output<typeof api.logLine>;
type Page = z.output<typeof api.logPage>;

interface LogOptions {
  since?: string;
  limit?: number;
  follow?: boolean;
  output?: Format;
}

const COLUMNS: Columns<LogLine> = {
  time: (line) => timeText(line.at),
  kind: (line) => line.kind,
  event: (line) => line.event,
  detail: (line) => line.detail,
  ms: (line) => line.ms?.toFixed(1),
};

const MOST_LINES = 1_000;
const FOLLOW_WAIT_MS = 5_000;
/** Between two questions that were answered at once with nothing: a server that does not wait must not be flooded. */
const EMPTY_PAUSE_MS = 250;

/** `gatehouse server logs`. */
export function addServerLogs(server: Command, context: Context): void {
  verb(server, 'logs <name>', 'What was done with a server, what probes found, and calls that failed there or were slow', 'gatehouse server logs demo --follow')
    .option('--since <when>', 'from then on: a duration back (15m, 1h, 7d) or a time')
    .option('--limit <count>', 'at most so many, the newest (default: 100)', wholeNumber(1, MOST_LINES))
    .option('--follow', 'wait for new lines and print them as they come')
    .action((name: string, options: LogOptions) => logs(context, name, options));
}

async function logs(context: Context, name: string, options: LogOptions): Promise<void> {
  const asked = invocation(context, options);
  const since = options.since === undefined ? undefined : pastTime(options.since, context.surroundings.now());
  if (options.follow === true) return follow(asked, name, since ?? context.surroundings.now());
  const { items } = await context.api.ask({ path: `/servers${path(name)}/logs`, query: { since, limit: options.limit }, answer: api.logPage });
  asked.answer(items, () => table(COLUMNS, items, context.surroundings.stdout.columns));
}

async function follow(asked: Invocation, name: string, since: number): Promise<void> {
  const { stdout, interrupted } = asked.surroundings;
  let cursor: string | undefined;
  while (!interrupted.aborted) {
    const started = performance.now();
    const page = await nextPage(asked, name, { since, cursor, follow: true, waitMs: FOLLOW_WAIT_MS });
    page.items.forEach((line) => stdout.write(followed(asked.format, line)));
    cursor = page.nextCursor ?? cursor;
    if (page.items.length === 0 && performance.now() - started < EMPTY_PAUSE_MS) await sleep(EMPTY_PAUSE_MS);
  }
}

async function nextPage(asked: Invocation, name: string, query: Record<string, string | number | boolean | undefined>): Promise<Page> {
  try {
    return await asked.api.ask({ path: `/servers${path(name)}/logs`, query, answer: api.logPage });
  } catch (error) {
    // Ctrl-C is how a follow ends: not a failure.
    if (asked.surroundings.interrupted.aborted) return { items: [], nextCursor: null };
    throw error;
  }
}

function followed(format: Format, line: LogLine): string {
  if (format === 'json') return toJsonLine(line);
  return format === 'yaml' ? `---\n${toYaml(line)}` : `${Object.values(COLUMNS).map((cell) => cellText(cell(line))).join('  ')}\n`;
}
