import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authorizationAnswer, type Answer, type Expected } from './authorization-answer.js';

const PATH = '/callback';
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  connection: 'close',
};

/**
 * Waits on the loopback interface for the browser to bring the answer (RFC 8252 section 7.3): one port
 * that the system chose, open for one sign-in. Answers to other questions are turned away and waited on.
 */
export class CallbackListener {
  /** The first answer that is ours. */
  readonly answer: Promise<Answer>;
  #settle: (answer: Answer) => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly expected: Expected,
  ) {
    this.answer = new Promise((resolve) => (this.#settle = resolve));
    server.on('request', (request, response) => this.serve(request, response));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(expected: Expected): Promise<CallbackListener> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return new CallbackListener(server, expected);
  }

  /** Where the authorization server sends the browser. */
  get redirectUri(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${PATH}`;
  }

  /** Stops listening; nothing is left open. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method !== 'GET' || url.pathname !== PATH) return send(response, 404, 'There is nothing here.');
    const answer = authorizationAnswer(url.searchParams, this.expected);
    if (answer === undefined) return send(response, 400, 'This does not belong to the sign-in that the command line waits for.');
    response.once('finish', () => this.#settle(answer));
    send(response, 200, 'failure' in answer ? 'Nothing was granted. You can close this window; the terminal says more.' : 'You can close this window and go back to the terminal.');
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, HEADERS);
  response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Gatehouse</title><body style="font:1.1rem system-ui;margin:4rem auto;max-width:32rem"><h1>Gatehouse</h1><p>${text}</p></body></html>`);
}
