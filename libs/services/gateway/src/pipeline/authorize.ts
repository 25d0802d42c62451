import type { Decision, Question } from '@gatehouse/policy-engine';
import { isJsonObject, Refusal } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { callsConnectTool } from '../identity/connect-tool.js';
import { isInitialize, type Resolved } from './resolve.js';

let earn: (resolved: Resolved, decision: Decision) => Authorized;

/** A request that policy permits. Nothing changes it from here on. */
export class Authorized {
  protected readonly earned = true;

  private constructor(
    readonly resolved: Resolved,
    readonly decision: Decision,
  ) {}

  static {
    earn = (resolved, decision) => new Authorized(resolved, decision);
  }
}

const TARGET_KIND = { call: 'tool', get: 'prompt', read: 'resource' } as const;

/** Asks the engine; refuses with `policy_denied`, `policy_evaluation_failed`, `server_stopped`. */
export function authorize(resolved: Resolved): Authorized {
  const { draft } = resolved.caller.received;
  const decision = resolved.policy.policies.decide(questionOf(resolved));
  draft.facts.decision = decision;
  if (decision.effect !== 'allow') throw refusalOf(decision);
  if (resolved.server.entry.state === 'stopped') throw new Refusal('server_stopped');
  if (draft.facts.method === 'tools/call') draft.facts.definition = resolved.server.entry.tools[draft.facts.target!] ?? null;
  draft.mark('authorize');
  return earn(resolved, decision);
}

/** The question about one target of the same caller and server: what a list filter asks per item. */
export function questionAbout(resolved: Resolved, action: Question['action'], name: string | undefined): Question {
  const { account } = resolved.caller.who;
  const { entry } = resolved.server;
  const question: Question = {
    caller: account,
    client: resolved.session?.clientName ?? '',
    action,
    server: entry,
  };
  if (action !== 'connect' && name !== undefined) question.target = { kind: TARGET_KIND[action], name };
  return question;
}

function questionOf(resolved: Resolved): Question {
  const { intent } = resolved;
  // The tool that connects an account is ours: who may connect to the server may call it.
  if (intent.kind !== 'message' || callsConnectTool(resolved)) return questionAbout(resolved, 'connect', undefined);
  const question = questionAbout(resolved, intent.admitted.action, intent.admitted.target);
  const given = intent.message.params?.['arguments'];
  if (isJsonObject(given)) question.arguments = given;
  return question;
}

function refusalOf(decision: Decision): Refusal {
  const code = decision.reason === 'evaluation_error' ? 'policy_evaluation_failed' : 'policy_denied';
  return new Refusal(code, { reason: decision.reason, policies: [...decision.policies] });
}

/** Whether what opened a stream would be decided the same way under the policies in force now. */
export function wouldStillAllow(resolved: Resolved, edge: Edge): boolean {
  const policy = edge.state.policy();
  const server = policy.server(resolved.server.entry.name);
  const { id, restarts } = resolved.server.entry;
  if (server?.entry.id !== id || server.entry.restarts !== restarts || server.entry.state === 'stopped') return false;
  if (isInitialize(resolved.intent)) return true;
  return policy.policies.decide(questionOf(resolved)).effect === 'allow';
}
