import { api } from '@gatehouse/contracts';
import type { z } from 'zod';
import { CliFailure, EXIT } from './failure.js';
import { gatewayPath, unreachable } from './gateway-url.js';
import { nextStep } from './next-steps.js';
import { accessToken, renewedToken } from './sign-in.js';
import type { Surroundings } from './surroundings.js';

const TIMEOUT_MS = 30_000;
const MOST_PAGES = 1_000;
const STANDARD_MEMBERS = new Set(['type', 'title', 'status', 'code', 'detail', 'instance', 'errors']);

/** A question to the admin API. */
export interface Ask<T extends z.ZodType> {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below /api/v1, with every name encoded (see `path`). */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  /** The revision that a change is meant for; another one meanwhile refuses it. */
  ifMatch?: number;
  /** What the answer must look like; left out where the answer has no body that matters. */
  answer?: T;
}

/** Joins path segments, each encoded: a name with a slash must not reach another resource. */
export function path(...segments: string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

/** Client of `/api/v1`: sends the token, checks answers against the contract, turns problems into failures. */
export class AdminApi {
  constructor(private readonly surroundings: Surroundings) {}

  /** Asks once. Fails with the problem document's words, exit code 3 when not signed in. */
  async ask<T extends z.ZodType>(ask: Ask<T>): Promise<z.output<T>> {
    const response = await this.send(ask);
    const text = await response.text();
    if (!response.ok) throw problemFailure(response.status, text);
    return ask.answer === undefined ? (undefined as z.output<T>) : checked(ask.answer, text);
  }

  /** All items of a list, page by page. */
  async all<T>(start: string, page: z.ZodType<{ items: T[]; nextCursor: string | null }>, query: Ask<z.ZodType>['query'] = {}): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const answer: { items: T[]; nextCursor: string | null } = await this.ask({ path: start, query: { ...query, cursor: cursor ?? undefined }, answer: page });
      items.push(...answer.items);
      cursor = answer.nextCursor;
      if (cursor === null) return items;
    }
    throw new CliFailure({ message: 'the list does not end' });
  }

  private async send(ask: Ask<z.ZodType>): Promise<Response> {
    const token = await accessToken(this.surroundings);
    const response = await this.sendWith(token, ask);
    if (response.status !== 401) return response;
    // Refused before its time, as after a rotation of signing keys: the login may have another one.
    const other = await renewedToken(this.surroundings, token);
    if (other === undefined) return response;
    await response.body?.cancel();
    return this.sendWith(other, ask);
  }

  private async sendWith(token: string, ask: Ask<z.ZodType>): Promise<Response> {
    const url = this.urlOf(ask);
    const body = ask.body === undefined ? {} : { body: JSON.stringify(ask.body) };
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json', ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }), ...(ask.ifMatch === undefined ? {} : { 'if-match': `"${ask.ifMatch}"` }) };
    const signal = AbortSignal.any([this.surroundings.interrupted, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      // A redirect would carry the token elsewhere.
      return await fetch(url, { method: ask.method ?? 'GET', headers, redirect: 'error', signal, ...body });
    } catch (error) {
      throw unreachable(url.origin, error, this.surroundings.interrupted);
    }
  }

  private urlOf(ask: Ask<z.ZodType>): URL {
    const url = gatewayPath(this.surroundings, `/api/v1${ask.path}`);
    for (const [name, value] of Object.entries(ask.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }
}

function checked<T extends z.ZodType>(schema: T, text: string): z.output<T> {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const place = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new CliFailure({ message: `the answer is not what this version expects (at ${place || 'the top'})`, next: 'is the gateway of the same version as this command?' });
}

function problemFailure(status: number, text: string): CliFailure {
  const parsed = api.problem.loose().safeParse(parseJson(text));
  if (!parsed.success) return new CliFailure({ message: `HTTP ${status}, not from Gatehouse's admin API`, next: 'check GATEHOUSE_URL', exit: exitFor(status) });
  const { code, reason } = parsed.data;
  return new CliFailure({ message: problemText(parsed.data), code, next: nextStep(code, reason), exit: exitFor(status) });
}

/** Title and detail on the first line, then what is wrong where, then every extension member. */
function problemText(problem: z.output<typeof api.problem>): string {
  const { title, detail, errors = [] } = problem;
  const facts = Object.entries(problem).filter(([name, value]) => !STANDARD_MEMBERS.has(name) && ['string', 'number'].includes(typeof value));
  return [
    detail === undefined || detail === title ? title : `${title} ${detail}`,
    ...errors.map((error) => `  ${error.pointer}: ${error.detail}`),
    ...facts.map(([name, value]) => `  ${name}: ${String(value)}`),
  ].join('\n');
}

const exitFor = (status: number) => (status === 401 ? EXIT.notSignedIn : EXIT.failed);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema that looks at it next says no.
    return undefined;
  }
}
