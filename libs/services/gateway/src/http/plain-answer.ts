import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorRow, Fault, type Refusal } from '@gatehouse/kernel';
import { headerOf } from './request-head.js';

const DOCS = 'https://gatehouse.dev/errors/';

/** Answers a refusal outside Nest: a problem document (RFC 9457), or a small page for who reads it in a browser. */
export function sendTrouble(error: Refusal | Fault, request: IncomingMessage, response: ServerResponse): void {
  const row = errorRow(error.code);
  const isPage = headerOf(request, 'accept')?.includes('text/html') === true;
  const body = Buffer.from(isPage ? pageOf(row.sentence) : problemOf(error, request.url ?? '/'));
  response.writeHead(row.status, {
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/problem+json',
    'content-length': body.length,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    ...(row.retryable && row.status === 503 ? { 'retry-after': '1' } : {}),
    ...(error.code === 'method_not_allowed' && !(error instanceof Fault) ? { allow: String(error.details['allow']) } : {}),
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(body);
}

function problemOf(error: Refusal | Fault, url: string): string {
  const { status, sentence } = errorRow(error.code);
  const details = error instanceof Fault ? { faultId: error.id } : error.details;
  return JSON.stringify({ ...details, type: DOCS + error.code, title: sentence, status, code: error.code, instance: url.split('?', 1)[0] });
}

// Only sentences of the error table get in here: there is nothing to escape.
function pageOf(sentence: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gatehouse</title></head><body><h1>Gatehouse</h1><p>${sentence}</p></body></html>`;
}
