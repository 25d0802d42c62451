import { describe, expect, it } from '@jest/globals';
import { Refusal, type JsonObject } from '@gatehouse/kernel';
import type { McpNotification, McpRequest, McpResponse } from './parse-message.js';
import { acceptServerMessage, ServerStreamGuard } from './server-messages.js';

const ask = (method: string, params?: JsonObject): McpRequest => ({ kind: 'request', id: 1, method, params });
const tell = (method: string, params?: JsonObject): McpNotification => ({ kind: 'notification', method, params });
const answer = (id: string | number): McpResponse => ({ kind: 'response', id, result: {} });

describe('acceptServerMessage', () => {
  it.each<[McpRequest | McpNotification, JsonObject, string]>([
    [ask('ping'), {}, 'relay'],
    [ask('sampling/createMessage'), { sampling: {} }, 'relay'],
    [ask('sampling/createMessage'), {}, 'deny'],
    [ask('sampling/createMessage'), { sampling: true }, 'deny'],
    [ask('roots/list'), { roots: { listChanged: true } }, 'relay'],
    [ask('roots/list'), { sampling: {} }, 'deny'],
    [ask('elicitation/create', { message: 'x' }), { elicitation: {} }, 'relay'],
    [ask('elicitation/create', { mode: 'form' }), { elicitation: { form: {}, url: {} } }, 'relay'],
    [ask('elicitation/create', { mode: 'form' }), { elicitation: { url: {} } }, 'deny'],
    [ask('elicitation/create', { mode: 'url' }), { elicitation: {} }, 'deny'],
    [ask('elicitation/create', { mode: 'url' }), { elicitation: { url: {} } }, 'relay'],
    [ask('elicitation/create', { mode: 'other' }), { elicitation: {} }, 'deny'],
    [ask('tools/call', { name: 'x' }), {}, 'deny'],
    [ask('tasks/get'), {}, 'deny'],
    [ask('notifications/message'), {}, 'deny'],
    [tell('notifications/message'), {}, 'relay'],
    [tell('notifications/tools/list_changed'), {}, 'relay'],
    [tell('notifications/vendor/x'), {}, 'drop'],
    [tell('notifications/tasks/status'), {}, 'drop'],
    [tell('sampling/createMessage'), { sampling: {} }, 'drop'],
  ])('%j with %j: %s', (message, capabilities, verdict) => {
    expect(acceptServerMessage(message, capabilities)).toBe(verdict);
  });
});

describe('ServerStreamGuard', () => {
  it('relays the awaited response once and drops everything after it', () => {
    const guard = new ServerStreamGuard({}, { id: 7 });
    expect(guard.accept(tell('notifications/message'))).toBe('relay');
    expect(guard.answered).toBe(false);
    expect(guard.accept(answer(7))).toBe('relay');
    expect(guard.answered).toBe(true);
    expect(guard.accept(answer(7))).toBe('drop');
    expect(guard.accept(answer(8))).toBe('drop');
    expect(guard.accept(tell('notifications/message'))).toBe('drop');
  });

  it.each([8, '7'])('refuses the response to %p when 7 is awaited', (id) => {
    expect(() => new ServerStreamGuard({}, { id: 7 }).accept(answer(id))).toThrow(new Refusal('upstream_invalid'));
  });

  it('refuses any response on a standalone stream', () => {
    expect(() => new ServerStreamGuard({}).accept(answer(1))).toThrow(new Refusal('upstream_invalid'));
  });

  it('lets only the progress of its own request through', () => {
    const progress = (progressToken: string | number): McpNotification => tell('notifications/progress', { progressToken, progress: 1 });
    const guard = new ServerStreamGuard({}, { id: 7, progressToken: 'mine' });
    expect(guard.accept(progress('mine'))).toBe('relay');
    expect(guard.accept(progress('other'))).toBe('drop');
    expect(guard.accept(tell('notifications/progress'))).toBe('drop');
    expect(new ServerStreamGuard({}, { id: 7 }).accept(progress('mine'))).toBe('drop');
    expect(new ServerStreamGuard({}, { id: 7 }).accept(tell('notifications/progress'))).toBe('drop');
    expect(new ServerStreamGuard({}).accept(progress('mine'))).toBe('relay');
  });
});
