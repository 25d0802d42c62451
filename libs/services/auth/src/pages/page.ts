import type { FastifyReply } from 'fastify';
import { STYLE, STYLE_HASH } from './style.js';

/** HTML that was escaped already. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Template of HTML: every value is escaped unless it is `Html` itself. */
export function html(pieces: TemplateStringsArray, ...values: Part[]): Html {
  return new Html(pieces.reduce((text, piece, at) => text + spelled(values[at - 1]) + piece));
}

function spelled(value: Part): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map((each: Html) => each.text).join('');
  return String(value).replace(/[&<>"']/g, (char) => ESCAPES[char]!);
}

/**
 * No script, no resource from anywhere (the icon stands in the page), no frame around it. `form-action` is left out on purpose: it would
 * stop the redirect from the consent form to the client in some browsers (auth.md A19).
 */
const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; img-src data:; base-uri 'none'; frame-ancestors 'none'`;

// A gate, in the accent of both colour schemes; without it every browser asks for /favicon.ico.
const ICON = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#3b86d6" d="M2 15V7a6 6 0 0 1 12 0v8h-3V7a3 3 0 0 0-6 0v8z"/></svg>')}`;

/** Headers of every page for people: strict, and never kept by a cache. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'cache-control': 'no-store',
  // Not no-referrer: a browser would then send our own forms with Origin: null, and the edge refuses that.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
};

/** A whole page: works without JavaScript, reads well by screen reader, light and dark. */
export function pageText(title: string, body: Html): string {
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Gatehouse</title>
<link rel="icon" href="${ICON}">
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<p class="brand">Gatehouse</p>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return text;
}

/** Sends a page. */
export function sendPage(reply: FastifyReply, status: number, title: string, body: Html): FastifyReply {
  return reply.status(status).headers(PAGE_HEADERS).send(pageText(title, body));
}
