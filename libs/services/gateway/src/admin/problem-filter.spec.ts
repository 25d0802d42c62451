import { describe, expect, it } from '@jest/globals';
import { BadRequestException, NotFoundException } from '@nestjs/common';
import { createLogger } from '@gatehouse/telemetry';
import { ERRORS, Fault, Refusal, type ErrorCode } from '@gatehouse/kernel';
import { api } from '@gatehouse/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Edge } from '../edge.js';
import { Resources } from '../tokens/resources.js';
import { sendThrown } from './problem-filter.js';

const ASKED = 'resource_metadata="https://gatehouse.test/.well-known/oauth-protected-resource/api/v1", scope="admin"';

interface Sent {
  status: number;
  headers: Record<string, string | string[]>;
  body: any;
  refusedWith: unknown;
  log: string;
}

/** What goes out over Fastify's reply, which is the world here. */
function sent(thrown: unknown, url = '/api/v1/servers?secret=1'): Sent {
  const answer: Sent = { status: 0, headers: {}, body: undefined, refusedWith: undefined, log: '' };
  const log = createLogger({ service: 'gateway', level: 'info', destination: { write: (line: string) => void (answer.log += line) } });
  const reply = {
    status: (status: number) => ((answer.status = status), reply),
    header: (name: string, value: string | string[]) => ((answer.headers[name] = value), reply),
    send: (text: string) => ((answer.body = JSON.parse(text)), reply),
  };
  const request = { url } as unknown as FastifyRequest & { refusedWith?: string };
  sendThrown(thrown, request, reply as unknown as FastifyReply, { log, resources: new Resources(new URL('https://gatehouse.test')) } as unknown as Edge);
  return { ...answer, refusedWith: request.refusedWith };
}

describe('problem documents', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('%s has the form of RFC 9457 with its status and words', (code) => {
    const { status, body, headers, refusedWith } = sent(new Refusal(code, { limit: 7 }));
    expect(api.problem.safeParse(body).success).toBe(true);
    expect(body).toEqual({ limit: 7, type: `https://gatehouse.dev/errors/${code}`, title: ERRORS[code].sentence, status: ERRORS[code].status, code, instance: '/api/v1/servers' });
    expect([status, headers['content-type'], refusedWith]).toEqual([ERRORS[code].status, 'application/problem+json', code]);
  });

  it('lets no detail take the place of what the document says itself', () => {
    expect(sent(new Refusal('conflict', { status: 200, code: 'fine', type: 'about:blank', title: 'x', instance: '/x' })).body).toMatchObject({ status: 409, code: 'conflict', instance: '/api/v1/servers' });
  });

  it('tells of a fault its id and nothing else, and logs the rest under it', () => {
    const { status, body, log } = sent(new Fault('password=hunter2', { cause: new Error('at /srv/app/secret.ts') }));
    expect([status, Object.keys(body).sort()]).toEqual([500, ['code', 'faultId', 'instance', 'status', 'title', 'type']]);
    expect(JSON.stringify(body)).not.toMatch(/hunter2|secret/);
    expect(log).toContain(body.faultId);
  });

  it('takes anything else that was thrown for a fault', () => {
    for (const thrown of [new TypeError('x'), 'text', undefined, null, { statusCode: 'x' }]) expect(sent(thrown).body.code).toBe('internal');
  });

  it.each([
    [new NotFoundException('Cannot GET /etc'), 404, 'not_found'],
    [new BadRequestException('x'), 400, 'bad_request'],
    [{ statusCode: 413 }, 413, 'too_large'],
    [{ statusCode: 415 }, 415, 'unsupported_media_type'],
    [{ statusCode: 414 }, 400, 'bad_request'],
  ])('gives what the frameworks throw a code of the table', (thrown, status, code) => {
    expect(sent(thrown)).toMatchObject({ status, body: { code } });
  });

  it('says what is wanted where a token is missing, and when to come back', () => {
    expect(sent(new Refusal('unauthenticated')).headers['www-authenticate']).toEqual([`Bearer ${ASKED}`]);
    expect(sent(new Refusal('insufficient_scope', { scope: 'admin' })).headers['www-authenticate']).toEqual([`Bearer ${ASKED}, error="insufficient_scope"`]);
    expect(sent(new Refusal('service_unavailable')).headers['retry-after']).toBe('1');
    expect(sent(new Refusal('conflict')).headers['retry-after']).toBeUndefined();
  });
});
