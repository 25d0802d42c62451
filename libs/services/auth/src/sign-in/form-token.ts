import { timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { html, type Html } from '../pages/page.js';
import { newBearer } from './bearer.js';
import type { Cookies } from './cookies.js';
import { SignInRefusal } from './sign-in-refusal.js';

const COOKIE = 'gh_form';
const LIFE_S = 3_600;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Ties the forms of the sign-in to the browser they were shown in: a cookie and a hidden field of the
 * same random value, and where the browser says it, a request that comes from our own page (CSRF).
 */
export class FormTokens {
  constructor(private readonly cookies: Cookies) {}

  /** The hidden field for a form of this answer. */
  field(request: FastifyRequest, reply: FastifyReply): Html {
    const held = this.cookies.read(request.headers.cookie, COOKIE);
    const token = held !== undefined && TOKEN.test(held) ? held : newBearer();
    void reply.header('set-cookie', this.cookies.set({ name: COOKIE, value: token, maxAge: LIFE_S }));
    return html`<input type="hidden" name="csrf" value="${token}">`;
  }

  /** The fields of a form that was sent from our own page; refuses as `bad_form`. */
  check(request: FastifyRequest): URLSearchParams {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const held = this.cookies.read(request.headers.cookie, COOKIE) ?? '';
    const site = request.headers['sec-fetch-site'] ?? 'same-origin';
    if (site !== 'same-origin' || !TOKEN.test(held) || !isSame(held, form.get('csrf') ?? '')) throw new SignInRefusal('bad_form');
    return form;
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
