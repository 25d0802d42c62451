import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import {
  anything,
  cancelledParams,
  completionParams,
  initializeParams,
  levelParams,
  listParams,
  metaParams,
  progressParams,
  promptParams,
  resourceParams,
  toolCallParams,
  type ParamsCheck,
} from './params-checks.js';
import type { McpNotification, McpRequest } from './parse-message.js';

/** What policy is asked about: use of the server at all, a tool, a prompt, a resource. */
export type PolicyAction = 'connect' | 'call' | 'get' | 'read';

/** The member of a list result that holds the items. */
export type ListKey = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** One method that a client may use, and how it is judged. */
export interface MethodRow {
  readonly method: string;
  readonly direction: 'client_to_server';
  readonly kind: 'request' | 'notification';
  /** `by_ref`: the params say whether a prompt or a resource is meant; `admitClientMessage` resolves it. */
  readonly action: PolicyAction | 'by_ref';
  /** Set for lists only. */
  readonly listKey?: ListKey;
  /** The tool or prompt name or resource URI that the decision is about; undefined for `connect`. */
  target(params: JsonObject | undefined): string | undefined;
  /** Refuses `bad_params`. */
  readonly check: ParamsCheck;
}

/** A message that is known and well formed, with the question that policy answers about it. */
export interface AdmittedMessage {
  readonly row: MethodRow;
  readonly action: PolicyAction;
  readonly target: string | undefined;
}

type Rest = Partial<Pick<MethodRow, 'action' | 'listKey' | 'target' | 'check'>>;

const NO_PARAMS: JsonObject = {};
const text = (params: JsonObject | undefined, name: string): string | undefined => {
  const value = params?.[name];
  return typeof value === 'string' ? value : undefined;
};
const byName: MethodRow['target'] = (params) => text(params, 'name');
const byUri: MethodRow['target'] = (params) => text(params, 'uri');
const byRef: MethodRow['target'] = (params) => {
  const ref = params?.['ref'];
  if (!isJsonObject(ref)) return undefined;
  return ref['type'] === 'ref/resource' ? byUri(ref) : byName(ref);
};

const row = (kind: MethodRow['kind'], method: string, rest: Rest): MethodRow => ({
  method,
  direction: 'client_to_server',
  kind,
  action: 'connect',
  target: () => undefined,
  check: anything,
  ...rest,
});
const request = (method: string, rest: Rest = {}): MethodRow => row('request', method, rest);
const notification = (method: string, check: ParamsCheck = anything): MethodRow => row('notification', method, { check });

/**
 * Every method of 2025-03-26 to 2025-11-25 that a client may send. What is not here is denied, extension
 * methods included. `tasks/*` are left out on purpose: they would let one caller fetch another's result.
 */
export const METHODS: readonly MethodRow[] = [
  request('initialize', { check: initializeParams }),
  request('ping'),
  request('tools/list', { listKey: 'tools', check: listParams }),
  request('tools/call', { action: 'call', target: byName, check: toolCallParams }),
  request('prompts/list', { listKey: 'prompts', check: listParams }),
  request('prompts/get', { action: 'get', target: byName, check: promptParams }),
  request('resources/list', { listKey: 'resources', check: listParams }),
  request('resources/templates/list', { listKey: 'resourceTemplates', check: listParams }),
  request('resources/read', { action: 'read', target: byUri, check: resourceParams }),
  request('resources/subscribe', { action: 'read', target: byUri, check: resourceParams }),
  request('resources/unsubscribe', { action: 'read', target: byUri, check: resourceParams }),
  request('completion/complete', { action: 'by_ref', target: byRef, check: completionParams }),
  request('logging/setLevel', { check: levelParams }),
  notification('notifications/initialized'),
  notification('notifications/cancelled', cancelledParams),
  notification('notifications/progress', progressParams),
  notification('notifications/roots/list_changed'),
];

const BY_METHOD = new Map(METHODS.map((each) => [each.method, each]));

/** The row of a client's method; undefined means denied. */
export function methodRow(method: string): MethodRow | undefined {
  return BY_METHOD.get(method);
}

/**
 * Looks a client's message up and checks its params. Refuses `method_denied` {method} for what is not in
 * the table, `bad_request` for a request sent as notification or the reverse (a `tools/call` without id
 * would run with nobody to answer to), `bad_params` {param}.
 */
export function admitClientMessage(message: McpRequest | McpNotification): AdmittedMessage {
  const found = methodRow(message.method);
  if (found === undefined) throw new Refusal('method_denied', { method: message.method.slice(0, 128) });
  if (found.kind !== message.kind) throw new Refusal('bad_request', { reason: `must_be_${found.kind}` });
  const params = message.params ?? NO_PARAMS;
  metaParams(params);
  found.check(params);
  const action = found.action === 'by_ref' ? actionOfRef(params) : found.action;
  return { row: found, action, target: found.target(params) };
}

function actionOfRef(params: JsonObject): PolicyAction {
  const ref = params['ref'];
  return isJsonObject(ref) && ref['type'] === 'ref/resource' ? 'read' : 'get';
}
