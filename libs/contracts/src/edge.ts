import { z } from 'zod';
import { defineEvent } from './define.js';

/** A client or an upstream ended a session: edges that remember it forget it. */
export const sessionEnded = defineEvent({
  subject: 'evt.v1.edge.session.ended',
  owner: 'gateway',
  consumers: ['gateway'],
  /** Shortened SHA-256 of the session id; the id itself is a bearer of the session and stays off the bus. */
  payload: z.strictObject({ digest: z.string().max(64) }),
});
