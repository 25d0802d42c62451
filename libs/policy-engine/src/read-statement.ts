import type { PatternElem, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { serverName } from '@gatehouse/contracts';
import { Fault } from '@gatehouse/kernel';
import { cedar } from './cedar.js';
import { depthOf, entitiesIn, walk, type Node } from './expression.js';
import { invalidAt, invalidPerCedar, type Source } from './policy-problem.js';
import type { SourceStatement } from './split-statements.js';
import type { PatternChars, Statement } from './statement.js';
import { isNameOfQuestion, scopeEntity, whatIsRead } from './what-is-read.js';

/** Cedar's WebAssembly stack holds about 60 nested brackets and 80 nested operators; beyond, it traps. */
const MAX_NESTING = 32;
const MAX_DEPTH = 64;
const IN_A_SERVER = ['Gatehouse::Tool', 'Gatehouse::Prompt', 'Gatehouse::Resource'];

function parse(source: Source, text: string): PolicyJson {
  let answer;
  try {
    answer = cedar.run((api) => api.policyToJson(text));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw invalidAt(source, 'this statement is too complex for the policy engine');
  }
  if (answer.type === 'failure') throw invalidPerCedar(source, answer.errors[0]!);
  return answer.json;
}

function refuseDeep(source: Source, policy: PolicyJson): void {
  // Cedar joins the clauses of a statement with `&&`, one level for each.
  const depth = policy.conditions.length + Math.max(0, ...policy.conditions.map((clause) => depthOf(clause.body)));
  if (depth <= MAX_DEPTH) return;
  throw invalidAt(source, `expressions go ${depth} levels deep, the limit is ${MAX_DEPTH}; write long alternatives as a set: [a, b, c].contains(x)`);
}

function literalsOf(policy: PolicyJson) {
  const scope = [scopeEntity(policy.principal), scopeEntity(policy.resource)].filter((entity) => entity !== undefined);
  const conditions = policy.conditions.flatMap((clause) => [...walk(clause.body as Node)]);
  return scope.concat(conditions.flatMap((node) => entitiesIn(node['Value'])));
}

/** Which server an entity belongs to: `notion` of `Gatehouse::Tool::"notion/search"`. */
function serverOf(entity: { type: string; id: string }): string | undefined {
  if (entity.type === 'Gatehouse::Server') return entity.id;
  return IN_A_SERVER.includes(entity.type) ? entity.id.slice(0, Math.max(0, entity.id.indexOf('/'))) : undefined;
}

/** An entity that no question can ever be about is a slip of the pen, most often the server's name left out. */
function refuseImpossibleNames(source: Source, policy: PolicyJson): void {
  for (const entity of literalsOf(policy)) {
    const server = serverOf(entity);
    if (server === undefined || serverName.safeParse(server).success) continue;
    const wanted = entity.type === 'Gatehouse::Server' ? '<server>' : '<server>/<name>';
    throw invalidAt(source, `${entity.type}::"${entity.id}" names nothing: write ${entity.type}::"${wanted}"`);
  }
}

function patternChars(policy: PolicyJson): PatternChars {
  const sum: PatternChars = { names: 0, arguments: 0 };
  for (const node of policy.conditions.flatMap((clause) => [...walk(clause.body as Node)])) {
    const like = node['like'] as { left: Node; pattern: PatternElem[] } | undefined;
    const chars = (like?.pattern ?? []).reduce((total, part) => total + (part === 'Wildcard' ? 1 : part.Literal.length), 0);
    if (like !== undefined) sum[isNameOfQuestion(like.left) ? 'names' : 'arguments'] += chars;
  }
  return sum;
}

/**
 * Reads one statement of a policy. Refused with `invalid_policy`: what Cedar cannot parse, templates, expressions too
 * deep for Cedar's stack, and names of tools, prompts, resources or servers that can never be.
 */
export function readStatement(source: Source, from: SourceStatement, index: number): Statement {
  if (from.nesting > MAX_NESTING) throw invalidAt(source, `brackets nest ${from.nesting} deep, the limit is ${MAX_NESTING}`);
  const json = parse(source, from.text);
  refuseDeep(source, json);
  refuseImpossibleNames(source, json);
  const resource = scopeEntity(json.resource);
  return {
    policy: source.policy,
    id: `${source.policy}#${index}`,
    text: from.text,
    effect: json.effect,
    json,
    reads: whatIsRead(json),
    server: resource && serverOf(resource),
    patterns: patternChars(json),
  };
}

