import type { EventContract, ServiceName } from '@gatehouse/contracts';
import { Fault } from '@gatehouse/kernel';

/** The root that the event stream keeps; requests live under `rpc.v1.`, which no stream may capture. */
export const EVENT_ROOT = 'evt.v1.';

/** The validated payload; a Fault when the service does not own the event or the payload does not fit. */
export function ownPayload(service: ServiceName, event: EventContract, payload: unknown): unknown {
  if (event.owner !== service) throw new Fault(`${service} may not publish ${event.subject}`);
  const parsed = event.payload.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new Fault(`a payload of ${event.subject} does not fit its contract`, { cause: parsed.error });
}

/** A Fault when the subject is outside the event root: it would be stored nowhere. */
export function eventSubject(subject: string): string {
  if (!subject.startsWith(EVENT_ROOT)) throw new Fault(`${subject} is not an event subject`);
  return subject;
}

/** A Fault when the service is not among the event's consumers. */
export function mayHear(service: ServiceName, event: EventContract): void {
  if (!event.consumers.includes(service)) throw new Fault(`${service} may not hear ${event.subject}`);
}

/** The name of a durable: one per service, purpose and subject, because a consumer filters on one subject only. */
export function durableName(service: ServiceName, durable: string, event: EventContract): string {
  if (!/^[a-z0-9-]+$/.test(durable)) throw new Fault(`${durable} is not a name for a durable`);
  return `${service}-${durable}-${event.subject.replaceAll('.', '_')}`;
}
