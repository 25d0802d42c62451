import type { auditContracts } from '@gatehouse/contracts';

type Entry = auditContracts.SpoolEntry;
type Facts = auditContracts.RecordFacts;
type Outcome = auditContracts.RecordOutcome;
type Timings = auditContracts.StepTimings;

/** Which of the three an entry is. */
export type Phase = Entry['phase'];

/** An entry as its writer knows it: its place in the spool is given when it is written. */
export type Unplaced<P extends Phase> = Omit<Extract<Entry, { phase: P }>, 'v' | 'phase' | 'origin'>;

/** The contract's limit is 64,000 characters; what remains is for head, outcome and origin. */
const MAX_TEXT_CHARS = 62_000;

/** The contract's limit on the number of argument names. */
const MAX_ARGUMENT_KEYS = 100;

const MAX_CODE_CHARS = 200;

/** How long free text may be, tried in this order until the entry fits: JSON may spell one character with six. */
const FREE_TEXT_CHARS = [2_000, 200, 50] as const;

/** Text of an intent, without origin (see `placed`). */
export function intentText(entry: Unplaced<'intent'>): string {
  return `${headText('intent', entry)},"facts":${fitting(entry.facts)}}`;
}

/** Text of an outcome, without origin. */
export function outcomeText(entry: Unplaced<'outcome'>): string {
  return `${headText('outcome', entry)},"outcome":${outcomeMembers(entry.outcome)}}`;
}

/** Text of an entry that is whole in itself, without origin. */
export function singleText(entry: Unplaced<'single'>): string {
  return `${headText('single', entry)},"facts":${fitting(entry.facts)},"outcome":${outcomeMembers(entry.outcome)}}`;
}

// Ids are ours and need no escaping; the numbers are finite.
function headText(phase: Phase, { id, callId, at, monotonic }: Unplaced<Phase>): string {
  return `{"v":1,"phase":"${phase}","id":"${id}","callId":"${callId}","at":${at},"monotonic":${millisText(monotonic)}`;
}

/**
 * Members are spelled one by one, in the order of the schema: most of a record is shared with other
 * calls and was spelled before. The spec holds the result against `JSON.stringify`.
 */
function factsText(facts: Facts): string {
  const { kind, endpoint, method, target, definition, argumentKeys, argumentsDigest, sessionDigest, traceId, bytesIn } = facts;
  const who = `"kind":"${kind}","caller":${shared(facts.caller)},"client":${shared(facts.client)},"eras":${shared(facts.eras)}`;
  const what = `"endpoint":${quoted(endpoint)},"server":${shared(facts.server)},"method":${quoted(method)},"target":${quoted(target)},"definition":${quoted(definition)}`;
  const given = `"argumentKeys":${JSON.stringify(argumentKeys)},"argumentsDigest":${quoted(argumentsDigest)}`;
  const judged = `"decision":${shared(facts.decision)},"identity":${shared(facts.identity)}`;
  return `{${who},${what},${given},${judged},"sessionDigest":${quoted(sessionDigest)},"traceId":${quoted(traceId)},"bytesIn":${bytesIn}}`;
}

function outcomeMembers(outcome: Outcome): string {
  const { status, code, reason, httpStatus, upstreamStatus, resultDigest, bytesOut, events, steps, hops, faultId } = outcome;
  const why = reason === undefined ? '' : `"reason":${quoted(reason)},`;
  const how = `"status":"${status}","code":${quoted(bounded(code))},${why}"httpStatus":${httpStatus},"upstreamStatus":${upstreamStatus}`;
  const sent = hops === undefined ? '' : `"hops":${JSON.stringify(hops)},`;
  return `{${how},"resultDigest":${quoted(resultDigest)},"bytesOut":${bytesOut},"events":${events},"steps":${stepsText(steps)},${sent}"faultId":${quoted(faultId)}}`;
}

function stepsText(steps: Timings): string {
  let text = '';
  for (const [step, name] of STEPS) {
    const ms = steps[step];
    if (ms !== undefined) text += `${text === '' ? '{' : ','}${name}${millisText(ms)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** Every step with its spelling; a step that the contract gains is missing here until it compiles again. */
const STEP_NAMES: Readonly<Record<keyof Timings, string>> = {
  ...{ receive: '"receive":', authenticate: '"authenticate":', resolve: '"resolve":', authorize: '"authorize":', record: '"record":' },
  ...{ credential: '"credential":', forward: '"forward":', respond: '"respond":', total: '"total":' },
};
const STEPS = Object.entries(STEP_NAMES) as [keyof Timings, string][];

const FRACTIONS = Array.from({ length: 1_000 }, (_, micros) => String(micros / 1_000).slice(1));

/** Milliseconds to the microsecond, a dozen per call, from two integers: the shortest spelling of a fraction is dear to find. */
function millisText(ms: number): string {
  const micros = Math.round(ms * 1_000);
  if (!Number.isSafeInteger(micros) || micros < 0 || micros / 1_000 !== ms) return String(ms);
  const fraction = micros % 1_000;
  return `${(micros - fraction) / 1_000}${FRACTIONS[fraction]}`;
}

const spelled = new WeakMap<object, string>();

/** Text of a part that many entries share: a frozen one is spelled once. */
function shared(part: object | null): string {
  if (part === null) return 'null';
  const held = spelled.get(part);
  if (held !== undefined) return held;
  const text = JSON.stringify(part);
  if (Object.isFrozen(part)) spelled.set(part, text);
  return text;
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quoted(text: string | null): string {
  if (text === null) return 'null';
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** The part of a body that names edge and boot; the sequence number is put after it by `originTail`. */
export function originText(edge: string, boot: string): string {
  return `,"origin":{"edge":${JSON.stringify(edge)},"boot":${JSON.stringify(boot)},"seq":`;
}

/** What takes the place of a text's closing brace: the origin is always the last member, `seqOf` relies on it. */
export function originTail(origin: string, seq: number): string {
  return `${origin}${seq}}}`;
}

/** The whole body. */
export function placed(text: string, tail: string): string {
  return text.slice(0, -1) + tail;
}

const SEQ = /"seq":(\d+)\}\}$/;
const AT = /,"at":(\d+),/;

/** Place of a body in its spool, read without parsing the whole. */
export function seqOf(body: string): number {
  return Number(SEQ.exec(body.slice(-40))?.[1] ?? 0);
}

/** When the entry was made, in milliseconds since the epoch; inside a JSON string its pattern cannot occur. */
export function atOf(body: string): number {
  return Number(AT.exec(body)?.[1] ?? 0);
}

/** The code may be the upstream's own words. */
function bounded(code: string | null): string | null {
  return code !== null && code.length > MAX_CODE_CHARS ? `${code.slice(0, MAX_CODE_CHARS)}…` : code;
}

/** Free text comes from clients and servers and may be of any length: it is cut only when the entry is too long. */
function fitting(facts: Facts): string {
  const few = facts.argumentKeys.length <= MAX_ARGUMENT_KEYS;
  let text = factsText(few ? facts : { ...facts, argumentKeys: facts.argumentKeys.slice(0, MAX_ARGUMENT_KEYS) });
  for (const chars of FREE_TEXT_CHARS) {
    if (text.length <= MAX_TEXT_CHARS) return text;
    text = factsText(shortened(facts, chars));
  }
  return text;
}

function shortened(facts: Facts, chars: number): Facts {
  const cut = (text: string): string => (text.length > chars ? `${text.slice(0, chars)}…` : text);
  const maybe = (text: string | null): string | null => (text === null ? null : cut(text));
  const { caller, client, eras, decision } = facts;
  return {
    ...facts,
    caller: { ...caller, name: maybe(caller.name), address: maybe(caller.address) },
    client: { ...client, name: maybe(client.name), version: maybe(client.version), userAgent: maybe(client.userAgent) },
    eras: { client: maybe(eras.client), upstream: maybe(eras.upstream) },
    endpoint: maybe(facts.endpoint),
    method: maybe(facts.method),
    target: maybe(facts.target),
    argumentKeys: facts.argumentKeys.slice(0, MAX_ARGUMENT_KEYS).map(cut),
    decision: decision === null ? null : { ...decision, policies: decision.policies.slice(0, 100) },
  };
}
