import { api, auditContracts } from '@gatehouse/contracts';
import { Option, type Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { pastTime } from '../durations.js';
import { CliFailure } from '../failure.js';
import { toJsonLine, toYaml, type Format } from '../output/print.js';
import { table } from '../output/table.js';
import { followHeadings, followRow, RECORD_COLUMNS, recordDetails } from '../record-table.js';
import { invocation, noun, verb, wholeNumber, type Context, type Invocation } from '../verb.js';

type AuditRecord = auditContracts.AuditRecord;
type Query = Record<string, string | number | boolean | undefined>;

const DEFAULT_LIMIT = 50;
const PAGE_LIMIT = 1_000;
const MOST_RECORDS = 100_000;
const FOLLOW_WAIT_MS = 5_000;
/** Between two questions that were answered at once with nothing: a server that does not wait must not be flooded. */
const EMPTY_PAUSE_MS = 250;
const FILTERS = ['kind', 'caller', 'server', 'tool', 'method', 'decision', 'policy', 'outcome', 'code', 'traceId', 'id'] as const;

interface QueryOptions extends Partial<Record<(typeof FILTERS)[number], string>> {
  since?: string;
  until?: string;
  limit?: number;
  follow?: boolean;
  output?: Format;
}

/** `gatehouse audit …`. */
export function addAudit(program: Command, context: Context): void {
  const audit = noun(program, 'audit', 'What was called, by whom, and what was decided');
  const shape = auditContracts.recordFilter.shape;
  verb(audit, 'query', 'Search the record, newest first', 'gatehouse audit query --since 1h --decision deny')
    .option('--since <when>', 'from then on: a duration back (15m, 1h, 7d) or a time')
    .option('--until <when>', 'until then: a duration back or a time')
    .addOption(new Option('--kind <kind>', 'MCP traffic or changes through the admin API').choices(shape.kind.unwrap().options))
    .option('--caller <who>', 'person: id, name or e-mail')
    .option('--server <name>', 'server')
    .option('--tool <name>', 'tool')
    .option('--method <method>', 'MCP method, or operation of the admin API')
    .addOption(new Option('--decision <effect>', 'what was decided').choices(shape.decision.unwrap().options))
    .option('--policy <name>', 'policy that decided')
    .addOption(new Option('--outcome <status>', 'how it ended').choices(auditContracts.outcomeStatus.options))
    .option('--code <code>', 'error code')
    .option('--trace-id <id>', 'trace')
    .option('--id <id>', 'one record, with the time each step took')
    .option('--limit <count>', `at most so many (default: ${DEFAULT_LIMIT})`, wholeNumber(1, MOST_RECORDS))
    .option('--follow', 'wait for new records and print them as they come')
    .action((options: QueryOptions) => query(context, options));
}

async function query(context: Context, options: QueryOptions): Promise<void> {
  const asked = invocation(context, options);
  const filter = filterFrom(options, context.surroundings.now());
  if (options.follow === true) return follow(asked, filter);
  const records = await search(context, filter, options.limit ?? DEFAULT_LIMIT);
  if (options.id !== undefined) return one(asked, options.id, records);
  asked.answer(records, () => table(RECORD_COLUMNS, records, context.surroundings.stdout.columns));
}

function filterFrom(options: QueryOptions, now: number): Query {
  const times = {
    since: options.since === undefined ? undefined : pastTime(options.since, now),
    until: options.until === undefined ? undefined : pastTime(options.until, now),
  };
  // Following without a start means from now on, not the whole record from its beginning.
  if (options.follow === true && times.since === undefined) times.since = now;
  return { ...times, ...Object.fromEntries(FILTERS.map((name) => [name, options[name]])) };
}

async function search(context: Context, filter: Query, limit: number): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  let cursor: string | undefined;
  do {
    const size = Math.min(PAGE_LIMIT, limit - records.length);
    const page = await context.api.ask({ path: '/audit/records', query: { ...filter, limit: size, cursor }, answer: api.recordPage });
    records.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && records.length < limit);
  return records.slice(0, limit);
}

function one(asked: Invocation, id: string, records: readonly AuditRecord[]): void {
  const [record] = records;
  if (record === undefined) throw new CliFailure({ message: `there is no record ${id}`, code: 'not_found', next: 'gatehouse audit query -o json shows ids' });
  asked.answer(record, () => recordDetails(record));
}

async function follow(asked: Invocation, filter: Query): Promise<void> {
  const { stdout, interrupted } = asked.surroundings;
  if (asked.format === 'table') stdout.write(followHeadings());
  let cursor: string | undefined;
  while (!interrupted.aborted) {
    const started = performance.now();
    const page = await nextPage(asked, { ...filter, cursor, follow: true, limit: PAGE_LIMIT, waitMs: FOLLOW_WAIT_MS });
    page.items.forEach((record) => stdout.write(followed(asked.format, record)));
    cursor = page.nextCursor ?? cursor;
    if (page.items.length === 0 && performance.now() - started < EMPTY_PAUSE_MS) await sleep(EMPTY_PAUSE_MS);
  }
}

async function nextPage(asked: Invocation, page: Query) {
  try {
    return await asked.api.ask({ path: '/audit/records', query: page, answer: api.recordPage });
  } catch (error) {
    // Ctrl-C is how a follow ends: not a failure.
    if (asked.surroundings.interrupted.aborted) return { items: [], nextCursor: null };
    throw error;
  }
}

function followed(format: Format, record: AuditRecord): string {
  return { table: followRow, json: toJsonLine, yaml: (value: AuditRecord) => `---\n${toYaml(value)}` }[format](record);
}
