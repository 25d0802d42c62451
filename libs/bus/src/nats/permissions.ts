import { EVENTS, REQUESTS, type ServiceName } from '@gatehouse/contracts';
import { EVENT_STREAM } from './event-stream.js';

/** What the NATS server lets one service do; subjects, in the server's own notation. */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** How long it may answer what it was asked; undefined for a service that nobody asks. */
  readonly answersWithinMs: number | undefined;
}

/** A reply may come late without harm: whoever asked has given up by then. */
const ANSWER_MARGIN_MS = 5_000;

/**
 * Exactly what the contracts say, and what JetStream needs for it: a service asks what it is a caller
 * of, answers as its own queue group, hears replies in its own inbox, announces its own events, and
 * reads events by consumers whose filter the server compares with the subject they are made under.
 *
 * What subjects cannot say: durables of one stream have names of one level, so a service that reads
 * events at all could pull from another one's durable. Events carry ids and versions, never secrets.
 */
export function natsPermissions(service: ServiceName): NatsPermissions {
  const asks = REQUESTS.filter(({ callers }) => callers.includes(service)).map(({ subject }) => subject);
  const announces = EVENTS.filter(({ owner }) => owner === service).map(({ subject }) => subject);
  const answers = REQUESTS.filter(({ owner }) => owner === service);
  return {
    publish: [...asks.sort(), ...announces.sort(), ...streamSubjects(), ...readerSubjects(service)],
    subscribe: [`_INBOX.${service}.>`, ...answers.map(({ subject }) => `${subject} ${service}`).sort()],
    answersWithinMs: answers.length === 0 ? undefined : ANSWER_MARGIN_MS + Math.max(...answers.map(({ timeoutMs }) => timeoutMs)),
  };
}

// Whoever starts first makes the stream; nobody may change, empty or delete it.
function streamSubjects(): string[] {
  return [`$JS.API.STREAM.INFO.${EVENT_STREAM}`, `$JS.API.STREAM.CREATE.${EVENT_STREAM}`];
}

function readerSubjects(service: ServiceName): string[] {
  const heard = EVENTS.filter(({ consumers }) => consumers.includes(service)).map(({ subject }) => subject);
  if (heard.length === 0) return [];
  const filters = heard.sort().map((subject) => `$JS.API.CONSUMER.CREATE.${EVENT_STREAM}.*.${subject}`);
  return [...filters, `$JS.API.CONSUMER.INFO.${EVENT_STREAM}.*`, `$JS.API.CONSUMER.MSG.NEXT.${EVENT_STREAM}.*`, `$JS.ACK.${EVENT_STREAM}.>`];
}
