import { startRawUpstream } from '../raw-upstream.js';
import type { RequiredHeader, Upstream } from '../recording-server.js';
import { BOMBS } from './bombs.js';
import { BROKEN_BODIES, BROKEN_HEADS, HEADERS_TO_DROP } from './broken-http.js';
import { ENDLESS_STREAMS } from './endless-streams.js';
import type { HostileAnswer } from './hostile-answer.js';
import { REDIRECTS } from './redirects.js';
import { REFLECTIONS, SESSION_ID_ATTACKS } from './secrets-and-sessions.js';
import { FIELD_INJECTIONS, WRONG_BODIES, WRONG_PAIRS } from './wrong-messages.js';

/** Every hostile answer, by test case: E-24, E-26 to E-33, E-39, E-40. */
export const HOSTILE_ANSWERS: readonly HostileAnswer[] = [
  ...HEADERS_TO_DROP,
  ...REDIRECTS,
  ...BOMBS,
  ...ENDLESS_STREAMS,
  ...WRONG_PAIRS,
  ...BROKEN_HEADS,
  ...BROKEN_BODIES,
  ...WRONG_BODIES,
  ...FIELD_INJECTIONS,
  ...REFLECTIONS,
  ...SESSION_ID_ATTACKS,
];

/** Starts an upstream that is honest except for this one answer. */
export function startHostileUpstream(hostile: HostileAnswer, options: { requiredHeader?: RequiredHeader } = {}): Promise<Upstream> {
  return startRawUpstream(hostile.answer, { ...options, methods: [hostile.on] });
}
