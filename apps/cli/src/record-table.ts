import type { auditContracts } from '@gatehouse/contracts';
import { timeText } from './output/print.js';
import { cellText, fieldList, layOut, type Columns } from './output/table.js';

type AuditRecord = auditContracts.AuditRecord;

/** Columns of `audit query`. */
export const RECORD_COLUMNS: Columns<AuditRecord> = {
  time: (record) => timeText(record.at),
  caller: (record) => record.facts.caller.name ?? record.facts.caller.id ?? record.facts.caller.kind,
  server: (record) => record.facts.server?.name ?? record.facts.endpoint,
  'tool/method': subject,
  decision: (record) => record.facts.decision?.effect,
  policy: (record) => record.facts.decision?.policies.join(','),
  identity: (record) => record.facts.identity?.visibility,
  outcome: outcome,
  ms: (record) => milliseconds(record.outcome?.steps.total),
};

/** Widths while following, when rows come one by one and cannot be measured beforehand. */
const FOLLOW_WIDTHS = [20, 18, 16, 28, 8, 28, 8, 22, 7];

/** The headings of a followed query. */
export function followHeadings(): string {
  return followLine(Object.keys(RECORD_COLUMNS).map((heading) => heading.toUpperCase()));
}

/** One record of a followed query. */
export function followRow(record: AuditRecord): string {
  return followLine(Object.values(RECORD_COLUMNS).map((cell) => cellText(cell(record))));
}

/** One record with everything that is known of it and the time each step took. */
export function recordDetails(record: AuditRecord): string {
  return fieldList({ ...identification(record), ...judgement(record), ...result(record) }) + steps(record);
}

function identification({ id, at, edge, facts }: AuditRecord) {
  return {
    id,
    time: timeText(at),
    edge,
    caller: `${facts.caller.name ?? '-'} (${facts.caller.id ?? facts.caller.kind})`,
    token: facts.caller.tokenId,
    address: facts.caller.address,
    client: [facts.client.name, facts.client.version].filter(Boolean).join(' '),
    server: facts.server?.name ?? facts.endpoint,
    method: facts.method,
    target: facts.target,
    definition: facts.definition,
    'argument keys': facts.argumentKeys.join(', '),
    'arguments digest': facts.argumentsDigest,
    trace: facts.traceId,
  };
}

function judgement({ facts }: AuditRecord) {
  return {
    decision: facts.decision?.effect,
    reason: facts.decision?.reason,
    policies: facts.decision?.policies.join(', '),
    snapshot: facts.decision?.snapshot,
    identity: facts.identity === null ? null : [facts.identity.visibility, facts.identity.id].filter(Boolean).join(' '),
  };
}

function result(record: AuditRecord) {
  const { outcome: ended } = record;
  return {
    outcome: outcome(record),
    'HTTP status': ended?.httpStatus,
    'upstream status': ended?.upstreamStatus,
    'result digest': ended?.resultDigest,
    'bytes in': record.facts.bytesIn,
    'bytes out': ended?.bytesOut,
    fault: ended?.faultId,
  };
}

function steps(record: AuditRecord): string {
  const rows = Object.entries(record.outcome?.steps ?? {}).map(([step, ms]) => [step, String(milliseconds(ms))]);
  return rows.length === 0 ? '' : `\n${layOut([['STEP', 'MS'], ...rows])}`;
}

function outcome(record: AuditRecord): string {
  if (record.outcome === null) return 'running';
  const { status, code, reason } = record.outcome;
  return code === null ? status : `${status} (${[code, reason].filter(Boolean).join(': ')})`;
}

function subject({ facts }: AuditRecord): string | null {
  return facts.target === null ? facts.method : facts.method === 'tools/call' ? facts.target : `${facts.method ?? ''} ${facts.target}`.trim();
}

function milliseconds(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : ms.toFixed(1);
}

function followLine(cells: readonly string[]): string {
  return `${cells.map((cell, at) => cell.padEnd(FOLLOW_WIDTHS[at] ?? 0)).join('  ').trimEnd()}\n`;
}
