import type { Clock } from '@gatehouse/kernel';
import { CookieJar } from './cookie-jar.js';
import { allowsFormAction } from './form-action.js';
import { buttonOf, formData, type FormValues } from './form-data.js';
import type { Form, Link } from './html-page.js';
import { exchange, type Reach, type Received } from './http-exchange.js';
import { navigationHeaders } from './navigation-headers.js';
import { pageOf, stoppedAt, type Hop, type Page } from './page.js';

/** How a scripted browser is set up; every part has a default. */
export interface BrowserOptions {
  /** URL prefixes that redirects are not followed to: the client's redirect_uri. */
  stopAt?: readonly string[];
  /** PEM of the authority that https servers of the test are signed by. */
  ca?: string;
  /** The origin to really connect to for an origin, e.g. `https://gatehouse.example` → `http://127.0.0.1:8080`. */
  resolve?: (origin: string) => string | undefined;
  /** The address of this machine that each request is sent from, where limits per address are in the way. */
  from?: () => string;
  /** Redirects followed in a row; 15 unless told. */
  maxRedirects?: number;
  /** For one request; 10,000 unless told. */
  timeoutMs?: number;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** By which cookies expire. */
  clock?: Clock;
}

/** A request that no page of a well-meaning site would make. */
export interface ForgedPost {
  /** The page that it comes from; without it the request has no Origin, as from a script. */
  from?: string;
  headers?: Record<string, string>;
}

interface Start {
  method: 'GET' | 'POST';
  url: URL;
  body: string | undefined;
  initiator: { url: string; referrerPolicy: string } | undefined;
  headers: Record<string, string>;
  /** The page whose form this is: its policy decides where the form may lead. */
  formOf?: Page;
}

const MAX_REDIRECTS = 15;
const TIMEOUT_MS = 10_000;
const FORM = 'application/x-www-form-urlencoded';
const KEEPS_METHOD = [307, 308];

/**
 * One person's browser without JavaScript: keeps cookies by their rules, follows redirects, fills in
 * forms and says where a request comes from. SameSite is kept on the cookies but not enforced.
 */
export class ScriptedBrowser {
  readonly cookies: CookieJar;
  private shown: Page | undefined;
  private readonly reach: Reach;

  constructor(private readonly options: BrowserOptions = {}) {
    this.cookies = new CookieJar(options.clock);
    this.reach = { ca: options.ca, resolve: options.resolve, timeoutMs: options.timeoutMs ?? TIMEOUT_MS, from: options.from };
  }

  /** The page that the last navigation ended at; throws before the first one. */
  get page(): Page {
    if (this.shown === undefined) throw new Error('the browser has not opened a page');
    return this.shown;
  }

  /** Goes to an address as if typed by hand. */
  get(url: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.navigate({ method: 'GET', url: new URL(url), body: undefined, initiator: undefined, headers });
  }

  /** Follows a link of the page, or any URL as if the page linked to it. Throws when there is none. */
  follow(link: Link | string | undefined): Promise<Page> {
    if (link === undefined) throw new Error(`no such link on ${this.page.url}: ${this.page.text}`);
    const url = new URL(typeof link === 'string' ? link : link.href, this.page.url);
    return this.navigate({ method: 'GET', url, body: undefined, initiator: this.initiator(), headers: {} });
  }

  /**
   * Fills in a form of the page and sends it by the button with this text, value or name (the first
   * when none is named). Throws, with what the page says, when there is no such form, field or button,
   * and when the page's `form-action` forbids where the form or a redirect after it leads.
   */
  submit(form: Form | undefined, values: FormValues = {}, button?: string): Promise<Page> {
    if (form === undefined) throw new Error(`no such form on ${this.page.url} (${this.page.status}): ${this.page.text}`);
    const pressed = buttonOf(form, button);
    const data = formData(form, values, pressed).toString();
    const url = new URL(pressed?.action ?? form.action);
    if (form.method === 'GET') url.search = data;
    const body = form.method === 'POST' ? data : undefined;
    return this.navigate({ method: form.method, url, body, initiator: this.initiator(), headers: {}, formOf: this.page });
  }

  /** Posts any fields to any URL with this browser's cookies: what a page of an attacker can do. */
  post(url: string, fields: Record<string, string>, forged: ForgedPost = {}): Promise<Page> {
    const initiator = forged.from === undefined ? undefined : { url: forged.from, referrerPolicy: '' };
    const body = new URLSearchParams(fields).toString();
    return this.navigate({ method: 'POST', url: new URL(url), body, initiator, headers: forged.headers ?? {} });
  }

  private initiator(): Start['initiator'] {
    const policies = String(this.page.headers['referrer-policy'] ?? '').split(',');
    return { url: this.page.url, referrerPolicy: policies.at(-1)?.trim().toLowerCase() ?? '' };
  }

  private async navigate(start: Start): Promise<Page> {
    askFormAction(start, start.url);
    const hops: Hop[] = [];
    const chain = [start.url];
    let { method, body } = start;
    for (let left = this.options.maxRedirects ?? MAX_REDIRECTS; left >= 0; left--) {
      const url = chain.at(-1) ?? start.url;
      const received = await this.send({ ...start, method, body }, chain);
      hops.push({ method, url: url.href, status: received.status });
      const next = redirectOf(received, url);
      if (next === undefined) return (this.shown = pageOf(url.href, received, hops));
      askFormAction(start, next);
      // A scheme of its own is handed to the app that has it, so the browser's way ends there too.
      if (this.isStop(next.href) || !next.protocol.startsWith('http')) return (this.shown = stoppedAt(next.href, received, hops));
      if (!KEEPS_METHOD.includes(received.status)) [method, body] = ['GET', undefined];
      chain.push(next);
    }
    throw new Error(`too many redirects: ${hops.map((hop) => hop.url).join(' → ')}`);
  }

  private async send(start: Start, chain: readonly URL[]): Promise<Received> {
    const url = chain.at(-1) ?? start.url;
    const cookie = this.cookies.header(url);
    const headers = {
      accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
      'accept-language': 'en',
      'user-agent': 'ScriptedBrowser/1',
      ...navigationHeaders({ method: start.method, initiator: start.initiator, chain }),
      ...(start.body === undefined ? {} : { 'content-type': FORM }),
      ...(cookie === undefined ? {} : { cookie }),
      ...this.options.headers,
      ...start.headers,
    };
    const received = await exchange({ url, method: start.method, headers, body: start.body }, this.reach);
    this.cookies.keep(received.headers['set-cookie'] ?? [], url);
    return received;
  }

  private isStop(url: string): boolean {
    return this.options.stopAt?.some((prefix) => url.startsWith(prefix)) === true;
  }
}

function askFormAction({ formOf }: Start, target: URL): void {
  if (formOf === undefined) return;
  const policy = formOf.headers['content-security-policy'];
  if (!allowsFormAction(policy, new URL(formOf.url), target)) throw new Error(`${formOf.url} has "${String(policy)}": its form may not lead to ${target.origin}`);
}

function redirectOf(received: Received, from: URL): URL | undefined {
  const { location } = received.headers;
  if (received.status < 300 || received.status > 399 || location === undefined) return undefined;
  const next = new URL(location, from);
  // A redirect without a fragment keeps the one before it (RFC 9110 section 10.2.2).
  if (next.hash === '') next.hash = from.hash;
  return next;
}
