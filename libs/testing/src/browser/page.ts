import type { IncomingHttpHeaders } from 'node:http';
import { formsOf, linksOf, type Form, type Link } from './html-page.js';
import { visibleText } from './html-text.js';
import type { Received } from './http-exchange.js';

/** One request on the way to a page. */
export interface Hop {
  method: string;
  url: string;
  status: number;
}

/** What the browser shows, or where it stopped. */
export interface Page {
  /** The URL of the page; when `stopped`, the URL that the browser was told not to go to. */
  readonly url: string;
  /** True when a redirect led to a URL with a prefix in `stopAt`: nothing was requested from there. */
  readonly stopped: boolean;
  /** Status and headers of the last answer; when `stopped`, of the redirect. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly html: string;
  /** What a person reads: no tags, white space folded. */
  readonly text: string;
  readonly forms: Form[];
  readonly links: Link[];
  /** Every request that led here, in order. */
  readonly hops: readonly Hop[];
}

/** The page that an answer makes. */
export function pageOf(url: string, received: Received, hops: readonly Hop[]): Page {
  const { status, headers, body } = received;
  const isHtml = headers['content-type']?.includes('html') === true;
  const forms = isHtml ? formsOf(body, url) : [];
  const links = isHtml ? linksOf(body, url) : [];
  return { url, stopped: false, status, headers, html: body, text: isHtml ? visibleText(body) : body, forms, links, hops };
}

/** The page that is not one: a redirect to a URL that belongs to somebody else. */
export function stoppedAt(url: string, received: Received, hops: readonly Hop[]): Page {
  return { url, stopped: true, status: received.status, headers: received.headers, html: '', text: '', forms: [], links: [], hops };
}
