import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { auditContracts, serverContracts, type api } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { z } from 'zod';
import { hopsText } from '../debug-hops/hops-text.js';

type LogLine = z.output<typeof api.logLine>;
type Query = z.output<typeof api.logQuery>;
type Page = z.output<typeof api.logPage>;

/** An upstream that took longer than this is told of. */
const SLOW_MS = 3_000;

/** Where a follow goes on: after which line of policy, and from which cursor of audit (for the same start). */
const PLACE = z.tuple([z.number().int().min(0), z.number().int().min(0), z.string().max(500).nullable()]);

/** A server's own log: what policy keeps of its state and its probes, and what audit has of calls that went badly; of every call made while it was debugged, with the time of each hop. */
@Injectable()
export class ServerLogs {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  /** The newest lines, oldest first; with `follow` those that came after the cursor. Refuses with `unknown_server`, `invalid_cursor`. */
  async read(name: string, query: Query): Promise<Page> {
    const { follow, limit, waitMs } = query;
    const [after, since, cursor] = query.cursor === undefined ? ([0, query.since, null] as const) : placeOf(query.cursor);
    const { id } = await this.bus.request(serverContracts.getServer, { name });
    const filter = { kind: 'mcp' as const, server: id, since, troubledBeyondMs: SLOW_MS };
    const calls = await this.bus.request(auditContracts.queryRecords, { filter, follow, cursor, limit, waitMs });
    // Asked last: what happened while the records were waited for is told with them.
    const { items } = await this.bus.request(serverContracts.listServerLines, { name, since, after: follow ? after : null, limit });
    const lines = [...items.map(ownLine), ...calls.items.map(callLine)].sort((one, other) => one.at - other.at);
    if (!follow) return { items: lines.slice(-limit), nextCursor: null };
    return { items: lines, nextCursor: cursorOf([items.at(-1)?.seq ?? after, since, calls.nextCursor ?? cursor]) };
  }
}

function ownLine({ at, kind, event, detail }: serverContracts.ServerLine): LogLine {
  return { at, kind, event, detail, ms: null, record: null };
}

function callLine({ id, at, facts, outcome }: auditContracts.AuditRecord): LogLine {
  const event = [facts.method, namedTarget(facts)].filter((part) => part !== null).join(' ');
  const ended = outcome === null ? 'unknown' : endingOf(outcome);
  const detail = outcome?.hops === undefined ? ended : [ended, ...stepTexts(outcome.steps), hopsText(outcome.hops)].join('; ');
  return { at, kind: 'call', event, detail, ms: outcome?.steps.total ?? null, record: id };
}

function endingOf({ status, code, reason, steps, hops }: auditContracts.RecordOutcome): string {
  const isQuick = hops !== undefined && (steps.forward ?? 0) <= SLOW_MS;
  if (status === 'ok') return isQuick ? 'ok' : 'slow';
  const why = [code, reason ?? null].filter((part) => part !== null).join(': ');
  return why === '' ? status : `${status} (${why})`;
}

/** Milliseconds of each step, in the order in which a call meets them. */
function stepTexts({ total: _total, ...each }: auditContracts.StepTimings): string[] {
  return Object.entries(each).map(([step, ms]) => `${step} ${ms} ms`);
}

/** Names of tools and prompts are the server's own; a resource's URI may say as much of a person as an argument. */
function namedTarget({ method, target }: auditContracts.RecordFacts): string | null {
  return method === 'tools/call' || method === 'prompts/get' ? target : null;
}

function cursorOf(place: z.output<typeof PLACE>): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function placeOf(cursor: string): z.output<typeof PLACE> {
  const { success, data } = PLACE.safeParse(jsonOf(Buffer.from(cursor, 'base64url').toString()));
  if (!success) throw new Refusal('invalid_cursor');
  return data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema says no.
    return undefined;
  }
}
