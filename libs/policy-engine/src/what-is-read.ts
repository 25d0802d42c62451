import type { EntityUidJson, Expr, PolicyJson, PrincipalConstraint, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import { entitiesIn, operandsOf, operatorOf, walk, type Node } from './expression.js';

/** What of a question a statement looks at; found in its syntax tree, so that no spelling hides it. */
export interface WhatIsRead {
  client: boolean;
  time: boolean;
  /** Top-level members of the arguments, or all of them. */
  arguments: ReadonlySet<string> | 'all';
  /** Whether who exactly is asking matters, beyond teams and roles. */
  identity: boolean;
}

interface Collected {
  client: boolean;
  time: boolean;
  identity: boolean;
  all: boolean;
  members: Set<string>;
}

const isVar = (node: Node, name: string): boolean => node['Var'] === name;
const isClass = ({ type }: TypeAndId): boolean => type === 'Gatehouse::Team' || type === 'Gatehouse::Role';
const isPerson = ({ type }: TypeAndId): boolean => type === 'Gatehouse::Person';

/** The names that `left.a.b` or `left has a.b` steps through from a variable; undefined when it starts elsewhere. */
function pathFrom(node: Node, variable: string): string[] | undefined {
  if (isVar(node, variable)) return [];
  const [operator, body] = operatorOf(node);
  if (operator !== '.' && operator !== 'has') return undefined;
  const { left, attr } = body as { left: Node; attr: string | string[] };
  return pathFrom(left, variable)?.concat(attr);
}

function noteContext([member, argument]: readonly string[], isHas: boolean, into: Collected): void {
  if (member === undefined) into.client = into.time = into.all = true;
  if (member === 'client') into.client = true;
  if (member === 'time') into.time = true;
  if (member !== 'arguments') return;
  if (argument !== undefined) into.members.add(argument);
  // `context has arguments` is always true and reads nothing; the bare record reads everything.
  else if (!isHas) into.all = true;
}

const namesClasses = (right: Node): boolean =>
  [...walk(right)].every((node) => 'Set' in node || (entitiesIn(node['Value']).length > 0 && entitiesIn(node['Value']).every(isClass)));

/** `principal in Team::"x"` and `principal is Person` come out the same for everybody in the same teams and roles. */
function isClassTest(node: Node): boolean {
  const [operator, body] = operatorOf(node);
  if (operator !== 'in' && operator !== 'is') return false;
  const { left, right, in: group } = body as { left: Node; right?: Node; in?: Node };
  if (!isVar(left, 'principal')) return false;
  const named = operator === 'in' ? right : group;
  return named === undefined || namesClasses(named);
}

function visit(node: Node, into: Collected): void {
  const path = pathFrom(node, 'context');
  if (path !== undefined) return noteContext(path, 'has' in node, into);
  if (isClassTest(node)) return;
  // A literal person has attributes and groups only while that person is the one who asks.
  if (isVar(node, 'principal') || entitiesIn(node['Value']).some(isPerson)) into.identity = true;
  for (const operand of operandsOf(node)) visit(operand, into);
}

const nothing = (): Collected => ({ client: false, time: false, identity: false, all: false, members: new Set() });

/** True for a plain attribute of the caller or the target and for `context.client`: short strings, not the caller's arguments. */
export function isNameOfQuestion(node: Node): boolean {
  if (pathFrom(node, 'principal') !== undefined || pathFrom(node, 'resource') !== undefined) return true;
  return pathFrom(node, 'context')?.[0] === 'client';
}

/** Whether an expression looks at the arguments of the call. */
export function readsArguments(expression: Expr): boolean {
  const into = nothing();
  visit(expression as Node, into);
  return into.all || into.members.size > 0;
}

const uid = (entity: EntityUidJson): TypeAndId => ('__entity' in entity ? entity.__entity : entity);

/** The entity a scope names, when it names one. */
export function scopeEntity(constraint: { op: string; entity?: EntityUidJson; in?: { entity?: EntityUidJson } | object }): TypeAndId | undefined {
  if (constraint.entity !== undefined) return uid(constraint.entity);
  const group = constraint.in as { entity?: EntityUidJson } | undefined;
  return group?.entity === undefined ? undefined : uid(group.entity);
}

function scopeReadsIdentity(principal: PrincipalConstraint): boolean {
  const named = scopeEntity(principal);
  return named !== undefined && !isClass(named);
}

/** What a whole statement looks at. */
export function whatIsRead(policy: PolicyJson): WhatIsRead {
  const into = nothing();
  into.identity = scopeReadsIdentity(policy.principal);
  for (const clause of policy.conditions) visit(clause.body as Node, into);
  return { client: into.client, time: into.time, identity: into.identity, arguments: into.all ? 'all' : into.members };
}
