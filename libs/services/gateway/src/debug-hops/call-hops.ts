import type { auditContracts } from '@gatehouse/contracts';
import type { Clock } from '@gatehouse/kernel';
import { HopTimes } from '@gatehouse/outbound';
import type { Logger } from '@gatehouse/telemetry';
import type { EdgeServer } from '../snapshot/policy-state.js';

/** A call as the line about it names it. */
interface EndedCall {
  callId: string;
  facts: auditContracts.RecordFacts;
  outcome: auditContracts.RecordOutcome;
}

/** Where the times of a call's request go while its server is being debugged; undefined otherwise. */
export function hopsWhileDebugged({ entry }: EdgeServer, clock: Clock): HopTimes | undefined {
  return entry.debugUntil !== null && entry.debugUntil > clock.now() ? new HopTimes() : undefined;
}

/** The times as records have them. */
export function recordedHops(hops: HopTimes): auditContracts.RecordHops {
  const { connection, bytesUp, bytesDown } = hops;
  const times = Object.entries({ dns: hops.dns, connect: hops.connect, tls: hops.tls, firstByte: hops.firstByte, end: hops.end });
  const known = times.flatMap(([name, ms]) => (ms === undefined ? [] : [[name, Math.round(ms * 1_000) / 1_000]]));
  return { connection, bytesUp, bytesDown, ...Object.fromEntries(known) };
}

/** One line about a call whose server is being debugged: times and sizes, nobody's name, nothing of what was said. */
export function logCallHops(log: Logger, { callId, facts, outcome }: EndedCall): void {
  const { caller, server, method, bytesIn } = facts;
  const { status, code, httpStatus, upstreamStatus, bytesOut, events, steps, hops } = outcome;
  const who = { callId, callerId: caller.id, serverId: server?.id ?? null, method };
  log.info({ event: 'call hops', ...who, status, code, httpStatus, upstreamStatus, steps, hops, bytesIn, bytesOut, events }, 'call hops');
}
