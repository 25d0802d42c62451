import type { IncomingMessage, ServerResponse } from 'node:http';
import { asRefusalOrFault, Fault, Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { openDraft } from '../pipeline/pipeline.js';
import type { AuthBackend } from './auth-backend.js';
import { requestHeaders } from './auth-headers.js';
import type { AuthPath } from './auth-paths.js';
import { authSaidIn, closeAuthRecord, type AuthSaid } from './auth-record.js';
import { sendTrouble } from './plain-answer.js';
import { headerOf, refuseRepeatedHeaders } from './request-head.js';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** How long auth may take until its whole answer is out. */
const ANSWER_MS = 15_000;

/** Passes requests to auth and its answers back, and writes the record of what happened there. */
export class AuthDoor {
  constructor(
    private readonly backend: AuthBackend,
    private readonly publicUrl: URL,
    private readonly answerMs = ANSWER_MS,
  ) {}

  /** Frees the connections to auth. */
  close(): void {
    this.backend.close();
  }

  /** Answers one request for `path`. Never throws: what goes wrong is answered and recorded. */
  handle(request: IncomingMessage, response: ServerResponse, path: AuthPath, edge: Edge): void {
    const method = request.method ?? '';
    const draft = openDraft(request, edge);
    draft.facts.kind = 'auth';
    draft.facts.method = `${method} ${path.prefix}`;
    let said: AuthSaid | undefined;
    let code: string | null = null;
    const late = setTimeout(() => onTrouble(new Refusal('service_timeout')), this.answerMs);
    response.once('close', () => {
      clearTimeout(late);
      closeAuthRecord(draft, { method, status: response.writableFinished ? response.statusCode : null, code, said });
    });
    const onTrouble = (thrown: unknown): void => {
      code ??= this.#trouble(thrown, request, response, edge);
    };
    try {
      this.#admit(request, path, edge);
      this.#tell(request);
      const onRecord = (value: unknown): void => void (said = authSaidIn(value));
      this.backend.answer({ request, response, maxBodyBytes: path.maxBodyBytes, onRecord, onTrouble });
    } catch (thrown) {
      onTrouble(thrown);
    }
  }

  #admit(request: IncomingMessage, { anyOrigin, maxBodyBytes }: AuthPath, edge: Edge): void {
    refuseRepeatedHeaders(request.rawHeaders);
    const [host, origin] = [headerOf(request, 'host'), headerOf(request, 'origin')];
    if (anyOrigin) edge.admission.checkHost(host);
    else edge.admission.check(host, origin);
    if (!METHODS.has(request.method ?? '')) throw new Refusal('method_not_allowed', { allow: [...METHODS].join(', ') });
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw new Refusal('too_large', { limitBytes: maxBodyBytes });
  }

  // In place: in one process auth reads this very request.
  #tell(request: IncomingMessage): void {
    const { host, protocol } = this.publicUrl;
    const told = requestHeaders(request.headers, { host, scheme: protocol.slice(0, -1), address: request.socket.remoteAddress ?? '' });
    for (const name of Object.keys(request.headers)) delete request.headers[name];
    Object.assign(request.headers, told);
    const raw = Object.entries(told).flatMap(([name, value]) => [value ?? ''].flat().flatMap((each) => [name, each]));
    request.rawHeaders.splice(0, request.rawHeaders.length, ...raw);
  }

  #trouble(thrown: unknown, request: IncomingMessage, response: ServerResponse, edge: Edge): string {
    const error = asRefusalOrFault(thrown);
    if (error instanceof Fault) edge.log.error({ faultId: error.id, err: error.cause ?? error }, error.message);
    if (response.headersSent || response.destroyed) response.destroy();
    else sendTrouble(error, request, response);
    return error.code;
  }
}
