import { CliFailure } from '../failure.js';

/** What an authorization response must carry to be the answer to our question. */
export interface Expected {
  state: string;
  issuer: string;
}

/** An answer that is ours: a code to exchange, or why there is none. */
export type Answer = { code: string; iss: string } | { failure: CliFailure };

const ONCE = ['state', 'iss', 'code', 'error'];

/**
 * Reads an authorization response. Undefined when it does not answer this question (another `state`, or
 * a parameter twice): any page can call a loopback port, and must not end or forge a sign-in by it. One
 * with our state from another issuer is a mix-up (RFC 9207), and ends it.
 */
export function authorizationAnswer(parameters: URLSearchParams, { state, issuer }: Expected): Answer | undefined {
  if (ONCE.some((name) => parameters.getAll(name).length > 1) || parameters.get('state') !== state) return undefined;
  const [iss, code, error] = [parameters.get('iss'), parameters.get('code'), parameters.get('error')];
  if (iss !== issuer) return { failure: new CliFailure({ message: 'the answer came from another authorization server than the one that was asked; it was not used' }) };
  if (error !== null) return { failure: refused(error, parameters.get('error_description')) };
  return code === null ? { failure: new CliFailure({ message: 'the answer of the authorization server holds no code' }) } : { code, iss };
}

function refused(error: string, description: string | null): CliFailure {
  return new CliFailure({ message: `the sign-in was refused${description === null ? '' : `: ${description}`}`, code: error, next: 'gatehouse login starts again' });
}
