import type { IncomingMessage } from 'node:http';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';

const BODY_BYTES = 56 * 1_024;

/** The parts of a Koa context that are looked at before the library does. */
export type PlainContext = Pick<KoaContextWithOIDC, 'req' | 'res' | 'path' | 'method' | 'query' | 'querystring' | 'set' | 'get' | 'is' | 'ip'> & {
  status: number;
  body: unknown;
  /** What the library knows of the request, once it has looked. */
  oidc?: KoaContextWithOIDC['oidc'];
};

/** Reads a form and puts it where the library finds it; a parameter that stands twice is two readings, so it stays for the library to refuse. */
export async function readForm(ctx: PlainContext): Promise<URLSearchParams> {
  if (ctx.is('application/x-www-form-urlencoded') === false) return new URLSearchParams();
  return new URLSearchParams((await bodyOf(ctx.req)).toString('utf8'));
}

/** Hands a form, changed or not, to the library as if it had read it. */
export function handOver(ctx: PlainContext, form: URLSearchParams): void {
  (ctx.req as IncomingMessage & { body?: string }).body = form.toString();
}

/** Reads JSON; refuses with `invalid_request`. */
export async function readJson(ctx: PlainContext): Promise<Record<string, unknown>> {
  const text = (await bodyOf(ctx.req)).toString('utf8');
  const value: unknown = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new errors.InvalidRequest('the body must be a JSON object');
  return value as Record<string, unknown>;
}

/** Hands a JSON body to the library. */
export function handOverJson(ctx: PlainContext, body: Record<string, unknown>): void {
  (ctx.req as IncomingMessage & { body?: string }).body = JSON.stringify(body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new errors.InvalidRequest('failed to parse the request body', undefined, { cause } as never);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES) throw new errors.InvalidRequest('the body is too large', 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
