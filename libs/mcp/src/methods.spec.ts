import { describe, expect, it } from '@jest/globals';
import { Refusal, type JsonObject } from '@gatehouse/kernel';
import { admitClientMessage, methodRow, METHODS } from './methods.js';
import { SERVER_METHODS, serverMethodRow } from './server-messages.js';

function admit(method: string, params?: JsonObject, kind: 'request' | 'notification' = 'request'): unknown {
  try {
    const message = kind === 'request' ? { kind, id: 1, method, params } : { kind, method, params };
    const { action, target } = admitClientMessage(message);
    return target === undefined ? action : `${action} ${target}`;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { [error.code]: error.details['param'] ?? error.details['problem'] ?? error.details['reason'] ?? error.details['method'] };
  }
}

const clientInfo = { name: 'client', version: '1' };

describe('the method table', () => {
  it('holds every method of the session era and no other', () => {
    expect(METHODS.map(({ kind, method, action, listKey }) => [kind, method, action, listKey].filter(Boolean).join(' '))).toEqual([
      'request initialize connect',
      'request ping connect',
      'request tools/list connect tools',
      'request tools/call call',
      'request prompts/list connect prompts',
      'request prompts/get get',
      'request resources/list connect resources',
      'request resources/templates/list connect resourceTemplates',
      'request resources/read read',
      'request resources/subscribe read',
      'request resources/unsubscribe read',
      'request completion/complete by_ref',
      'request logging/setLevel connect',
      'notification notifications/initialized connect',
      'notification notifications/cancelled connect',
      'notification notifications/progress connect',
      'notification notifications/roots/list_changed connect',
    ]);
    expect(SERVER_METHODS.map(({ kind, method, capability }) => [kind, method, capability].filter(Boolean).join(' '))).toEqual([
      'request ping',
      'request sampling/createMessage sampling',
      'request elicitation/create elicitation',
      'request roots/list roots',
      'notification notifications/cancelled',
      'notification notifications/progress',
      'notification notifications/message',
      'notification notifications/tools/list_changed',
      'notification notifications/prompts/list_changed',
      'notification notifications/resources/list_changed',
      'notification notifications/resources/updated',
      'notification notifications/elicitation/complete',
    ]);
  });

  it.each(['tasks/get', 'tasks/list', 'server/discover', 'Tools/call', 'tools/call ', 'toString', '__proto__', 'vendor/x', 'sampling/createMessage'])('denies %s', (method) => {
    expect(methodRow(method)).toBeUndefined();
    expect(admit(method)).toEqual({ method_denied: method });
    expect(serverMethodRow('tools/call')).toBeUndefined();
  });
});

describe('admitClientMessage', () => {
  it.each<[string, JsonObject | undefined, string]>([
    ['initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }, 'connect'],
    ['ping', undefined, 'connect'],
    ['tools/list', undefined, 'connect'],
    ['tools/list', { cursor: '' }, 'connect'],
    ['tools/call', { name: 'echo' }, 'call echo'],
    ['tools/call', { name: 'echo', arguments: { name: 'other' }, _meta: { progressToken: 1 } }, 'call echo'],
    ['prompts/get', { name: 'review', arguments: { a: 'b' } }, 'get review'],
    ['resources/read', { uri: 'file:///a/b' }, 'read file:///a/b'],
    ['resources/subscribe', { uri: 'note://x' }, 'read note://x'],
    ['resources/unsubscribe', { uri: 'note://x' }, 'read note://x'],
    ['logging/setLevel', { level: 'warning' }, 'connect'],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'review' }, argument: { name: 'a', value: '' } }, 'get review'],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'note://{id}' }, argument: { name: 'id', value: 'x' } }, 'read note://{id}'],
  ])('%s %j asks for %s', (method, params, question) => {
    expect(admit(method, params)).toBe(question);
  });

  it('admits notifications', () => {
    expect(admit('notifications/cancelled', { requestId: 1 }, 'notification')).toBe('connect');
    expect(admit('notifications/initialized', undefined, 'notification')).toBe('connect');
    expect(admit('notifications/progress', { progressToken: 't', progress: 0.5 }, 'notification')).toBe('connect');
  });

  it('refuses a call without id and a notification with one', () => {
    expect(admit('tools/call', { name: 'echo' }, 'notification')).toEqual({ bad_request: 'must_be_request' });
    expect(admit('notifications/initialized')).toEqual({ bad_request: 'must_be_notification' });
  });

  it.each<[string, JsonObject | undefined, string]>([
    ['initialize', undefined, 'protocolVersion'],
    ['initialize', { protocolVersion: '2025-06-18', clientInfo }, 'capabilities'],
    ['initialize', { protocolVersion: '2025-06-18', capabilities: {} }, 'clientInfo'],
    ['tools/list', { cursor: 1 }, 'cursor'],
    ['tools/call', undefined, 'name'],
    ['tools/call', { name: '' }, 'name'],
    ['tools/call', { name: ['echo'] }, 'name'],
    ['tools/call', { name: 'echo', arguments: [] }, 'arguments'],
    ['tools/call', { name: 'echo', arguments: null }, 'arguments'],
    ['tools/call', { name: 'echo', task: {} }, 'task'],
    ['tools/call', { name: 'echo', _meta: 1 }, '_meta'],
    ['tools/call', { name: 'echo', _meta: { progressToken: {} } }, '_meta.progressToken'],
    ['prompts/get', {}, 'name'],
    ['prompts/get', { name: 'a', arguments: { b: 1 } }, 'arguments'],
    ['resources/read', { uri: 1 }, 'uri'],
    ['resources/read', { uri: 'file:///a/../b' }, 'dot_segment'],
    ['logging/setLevel', { level: 'loud' }, 'level'],
    ['completion/complete', { argument: { name: 'a', value: '' } }, 'ref'],
    ['completion/complete', { ref: { type: 'ref/tool', name: 'a' }, argument: { name: 'a', value: '' } }, 'ref'],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'a' }, argument: { name: 'a' } }, 'argument'],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'FILE:///' }, argument: { name: 'a', value: '' } }, 'scheme'],
  ])('refuses %s %j for %s', (method, params, param) => {
    expect(admit(method, params)).toEqual({ bad_params: param });
  });

  it.each<[string, JsonObject]>([
    ['notifications/cancelled', {}],
    ['notifications/progress', { progressToken: 1 }],
    ['notifications/progress', { progress: 1 }],
  ])('refuses the notification %s %j', (method, params) => {
    expect(admit(method, params, 'notification')).toHaveProperty('bad_params');
  });
});
