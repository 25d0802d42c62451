import { isJsonObject, Refusal, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { requireCanonicalUri } from './resource-uri.js';

/** Checks the params of one method; refuses `bad_params` {param}. */
export type ParamsCheck = (params: JsonObject) => void;

const LOG_LEVELS: ReadonlySet<unknown> = new Set(['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']);

/** Params of which nothing is read here. */
export const anything: ParamsCheck = () => undefined;

/** `initialize`: version, capabilities and client as the protocol wants them. */
export const initializeParams: ParamsCheck = (params) => {
  requireText(params, 'protocolVersion');
  requireObject(params, 'capabilities');
  requireObject(params, 'clientInfo');
};

/** Lists: a cursor, when given, is a string (the empty string is a valid cursor). */
export const listParams: ParamsCheck = ({ cursor }) => {
  if (cursor !== undefined && typeof cursor !== 'string') throw badParam('cursor');
};

/**
 * `tools/call`: name, and arguments that are an object when given. A call that asks for a task (2025-11-25)
 * is refused: `tasks/*` are not served, so nobody could fetch or cancel what it would start.
 */
export const toolCallParams: ParamsCheck = (params) => {
  requireText(params, 'name');
  optionalObject(params, 'arguments');
  if (params['task'] !== undefined) throw badParam('task');
};

/** `prompts/get`: name, and arguments that are strings. */
export const promptParams: ParamsCheck = (params) => {
  requireText(params, 'name');
  optionalObject(params, 'arguments');
  if (Object.values(objectOrEmpty(params['arguments'])).some((value) => typeof value !== 'string')) throw badParam('arguments');
};

/** `resources/read`, `subscribe`, `unsubscribe`: a URI with one spelling only. */
export const resourceParams: ParamsCheck = (params) => {
  requireCanonicalUri(requireText(params, 'uri'));
};

/** `logging/setLevel`: a syslog level (RFC 5424). */
export const levelParams: ParamsCheck = ({ level }) => {
  if (!LOG_LEVELS.has(level)) throw badParam('level');
};

/** `completion/complete`: a reference to a prompt or a resource, and the argument to complete. */
export const completionParams: ParamsCheck = (params) => {
  const ref = requireObject(params, 'ref');
  const argument = requireObject(params, 'argument');
  requireText(argument, 'name');
  if (typeof argument['value'] !== 'string') throw badParam('argument');
  optionalObject(params, 'context');
  if (ref['type'] === 'ref/prompt') requireText(ref, 'name');
  else if (ref['type'] === 'ref/resource') requireCanonicalUri(requireText(ref, 'uri'));
  else throw badParam('ref');
};

/** `notifications/cancelled`: whose request. */
export const cancelledParams: ParamsCheck = ({ requestId }) => {
  if (!isToken(requestId)) throw badParam('requestId');
};

/** `notifications/progress`: whose progress, and how far. */
export const progressParams: ParamsCheck = ({ progressToken, progress }) => {
  if (!isToken(progressToken)) throw badParam('progressToken');
  if (typeof progress !== 'number') throw badParam('progress');
};

/** What every message may carry: `_meta` is an object and its progress token a string or an integer. */
export const metaParams: ParamsCheck = (params) => {
  optionalObject(params, '_meta');
  const token = objectOrEmpty(params['_meta'])['progressToken'];
  if (token !== undefined && !isToken(token)) throw badParam('_meta.progressToken');
};

function isToken(value: JsonValue | undefined): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

function requireText(params: JsonObject, name: string): string {
  const value = params[name];
  if (typeof value !== 'string' || value === '') throw badParam(name);
  return value;
}

function requireObject(params: JsonObject, name: string): JsonObject {
  const value = params[name];
  if (!isJsonObject(value)) throw badParam(name);
  return value;
}

function optionalObject(params: JsonObject, name: string): void {
  if (params[name] !== undefined) requireObject(params, name);
}

function objectOrEmpty(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function badParam(param: string): Refusal {
  return new Refusal('bad_params', { param });
}
