import type { CedarValueJson, Context, EntityJson, StatefulAuthorizationCall, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import { systemClock, type JsonObject } from '@gatehouse/kernel';
import { ArgumentValues, Unrepresentable } from './argument-values.js';
import type { Question } from './question.js';
import { NAMESPACE } from './schema.js';
import type { PatternChars } from './statement.js';
import type { WhatIsRead } from './what-is-read.js';

/** Character comparisons that `like` may cost in the worst case, about 10 ms. */
const MAX_PATTERN_WORK = 5_000_000;
const MAX_NAME_CHARS = 8_192;
const KINDS = { tool: 'Tool', prompt: 'Prompt', resource: 'Resource' } as const;

/** A question in Cedar's words, for a set prepared beforehand. */
export type CedarRequest = Omit<StatefulAuthorizationCall, 'preparsedPolicySetId'>;

const uid = (type: string, id: string): TypeAndId => ({ type: `${NAMESPACE}::${type}`, id });

function principalOf({ caller }: Question): EntityJson {
  const parents = caller.teams.map((name) => uid('Team', name)).concat(caller.roles.map((name) => uid('Role', name)));
  const attrs: Record<string, CedarValueJson> = { id: caller.id };
  if (caller.email !== null) attrs['email'] = caller.email;
  if (caller.name !== undefined && caller.name !== null) attrs['name'] = caller.name;
  return { uid: uid('Person', caller.id), attrs, parents };
}

function resourceOf({ server, target }: Question): EntityJson {
  const owner = uid('Server', server.name);
  if (target === undefined) return { uid: owner, attrs: { id: server.id, name: server.name, server: server.name }, parents: [] };
  return { uid: uid(KINDS[target.kind], `${server.name}/${target.name}`), attrs: { name: target.name, server: server.name }, parents: [owner] };
}

function onlyRead(given: JsonObject, reads: WhatIsRead['arguments']): JsonObject {
  return reads === 'all' ? given : Object.fromEntries(Object.entries(given).filter(([name]) => reads.has(name)));
}

function refuseCostly(longest: number, patternChars: number): void {
  if (longest * patternChars > MAX_PATTERN_WORK) throw new Unrepresentable('the patterns of the policies would take too long');
}

function checkNames(question: Question, patternChars: number): void {
  const { caller, client, server, target } = question;
  const names = [caller.id, caller.email ?? '', caller.name ?? '', client, server.id, server.name, target?.name ?? '', ...caller.teams, ...caller.roles];
  const values = new ArgumentValues();
  for (const name of names) values.text(name);
  if (values.longest > MAX_NAME_CHARS) throw new Unrepresentable('a name is too long');
  refuseCostly(values.longest, patternChars);
}

function contextOf(question: Question, reads: WhatIsRead, patternChars: number): Context {
  const plain = { client: question.client, time: question.time ?? systemClock.now() };
  if (question.action !== 'call' && question.action !== 'get') return plain;
  const values = new ArgumentValues();
  const given = values.convert(onlyRead(question.arguments ?? {}, reads.arguments));
  refuseCostly(values.longest, patternChars);
  return { ...plain, arguments: given };
}

/**
 * Puts a question into Cedar's words. Of the arguments only those members travel that some policy reads. Throws
 * Unrepresentable when it cannot be asked within the limits on size, depth and time.
 */
export function toCedarRequest(question: Question, reads: WhatIsRead, patterns: PatternChars): CedarRequest {
  checkNames(question, patterns.names);
  const principal = principalOf(question);
  const resource = resourceOf(question);
  return {
    principal: principal.uid,
    action: uid('Action', question.action),
    resource: resource.uid,
    context: contextOf(question, reads, patterns.arguments),
    entities: [principal, resource],
  };
}
