import type { auditContracts } from '@gatehouse/contracts';

const STAGES = [
  ['dns', 'dns'],
  ['connect', 'connect'],
  ['tls', 'tls'],
  ['firstByte', 'first byte'],
  ['end', 'end'],
] as const satisfies readonly (readonly [keyof auditContracts.RecordHops, string])[];

const CONNECTIONS: Readonly<Record<auditContracts.RecordHops['connection'], string>> = { none: 'not sent', new: 'new connection', reused: 'connection reused' };

/** The times of a call's request in one line for people: `new connection, dns 1.2 ms, …, end 20 ms, 12 B up, 340 B down`. */
export function hopsText(hops: auditContracts.RecordHops): string {
  const times = STAGES.flatMap(([member, word]) => (hops[member] === undefined ? [] : [`${word} ${shortMs(hops[member])} ms`]));
  const sizes = hops.connection === 'none' ? [] : [`${hops.bytesUp} B up`, `${hops.bytesDown} B down`];
  return [CONNECTIONS[hops.connection], ...times, ...sizes].join(', ');
}

function shortMs(ms: number): string {
  return String(ms < 100 ? Math.round(ms * 10) / 10 : Math.round(ms));
}
