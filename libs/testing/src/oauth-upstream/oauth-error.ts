import type { ServerResponse } from 'node:http';

/** A refusal of the authorization server as RFC 6749 section 5.2 spells it. */
export class OauthError extends Error {
  constructor(
    readonly error: string,
    readonly description: string,
    readonly status = 400,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(`${error}: ${description}`);
  }
}

/** Answers with JSON that no cache keeps. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(JSON.stringify(body));
}

/** Answers with a page, as a single-page application does for every path it does not know. */
export function sendHtml(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
  response.end('<!doctype html><html><head><title>Provider</title></head><body><script>var secret="page";</script></body></html>');
}

/** Answers a refusal. */
export function sendError(response: ServerResponse, { error, description, status, headers }: OauthError): void {
  sendJson(response, status, { error, error_description: description }, headers);
}
