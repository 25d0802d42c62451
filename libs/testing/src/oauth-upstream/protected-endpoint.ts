import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { plainResult, rpcRequestOf, type RpcRequest } from '../upstreams/plain-answers.js';
import { ProofRefused } from './dpop-proofs.js';
import type { AccessToken } from './grants.js';
import type { Arrived } from './listener.js';
import { challengedPrm } from './metadata.js';
import type { OauthStage } from './oauth-stage.js';
import { sendJson } from './oauth-error.js';

const WHOAMI = { name: 'whoami', description: 'Says whose account this is', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } };

/** Answers the MCP endpoint: whoever holds a good token is served, and told whose it is. */
export async function answerMcp(stage: OauthStage, arrived: Arrived, response: ServerResponse): Promise<void> {
  const rpc = rpcRequestOf(parsed(arrived.body));
  const token = await shownToken(stage, arrived);
  if (token instanceof ProofRefused) refuseProof(stage, token, response);
  else if (token === undefined && needsToken(stage, rpc)) challenge(stage, arrived, response);
  else if (arrived.method !== 'POST') response.writeHead(arrived.method === 'DELETE' ? 200 : 405).end();
  else if (rpc === undefined) response.writeHead(202).end();
  else answerRpc(stage, rpc, token, response);
}

/** The token that came, good in itself and with its proof where it is bound (RFC 9449 section 7.1). */
async function shownToken(stage: OauthStage, arrived: Arrived): Promise<AccessToken | ProofRefused | undefined> {
  const [, scheme = '', text = ''] = /^(Bearer|DPoP) (\S+)$/i.exec(arrived.headers.authorization ?? '') ?? [];
  const token = stage.grants.valid(text);
  const isBound = scheme.toLowerCase() === 'dpop';
  if (token === undefined || (token.grant.jkt !== null) !== isBound) return undefined;
  if (isBound) return proven(stage, arrived, token);
  return stage.behaviour.dpop === 'required' ? undefined : token;
}

async function proven({ proofs, url, behaviour }: OauthStage, arrived: Arrived, token: AccessToken): Promise<AccessToken | ProofRefused> {
  try {
    await proofs.check(arrived, { url, token: token.token, jkt: token.grant.jkt!, needsNonce: behaviour.dpopNonce !== 'nowhere' });
    return token;
  } catch (error) {
    if (error instanceof ProofRefused) return error;
    throw error;
  }
}

function refuseProof({ proofs, behaviour }: OauthStage, { error }: ProofRefused, response: ServerResponse): void {
  const nonce = error === 'use_dpop_nonce' ? { 'dpop-nonce': proofs.presentNonce } : {};
  response.writeHead(401, { 'www-authenticate': `DPoP error="${error}", algs="ES256"`, ...nonce }).end();
  if (behaviour.dpopNonce === 'ever-new') proofs.changeNonce();
}

function answerRpc(stage: OauthStage, rpc: RpcRequest, token: AccessToken | undefined, response: ServerResponse): void {
  if (isShort(stage, rpc, token)) return stepUp(stage, response);
  if (rpc.method === 'initialize') response.setHeader('mcp-session-id', randomUUID());
  sendJson(response, 200, { jsonrpc: '2.0', id: rpc.id, result: resultOf(rpc, token, stage) });
}

function needsToken({ behaviour }: OauthStage, rpc: RpcRequest | undefined): boolean {
  return behaviour.guards === 'everything' || rpc?.method === 'tools/call';
}

function resultOf(rpc: RpcRequest, token: AccessToken | undefined, { behaviour }: OauthStage): object {
  const more = behaviour.stepUp === null ? [] : [{ ...WHOAMI, name: behaviour.stepUp.tool }];
  if (rpc.method === 'tools/list') return { tools: [WHOAMI, ...more] };
  if (rpc.method !== 'tools/call') return plainResult(rpc) ?? {};
  return { content: [{ type: 'text', text: token?.grant.user ?? 'nobody' }] };
}

function isShort({ behaviour }: OauthStage, rpc: RpcRequest, token: AccessToken | undefined): boolean {
  const { stepUp: wanted } = behaviour;
  if (wanted === null || rpc.method !== 'tools/call' || rpc.params['name'] !== wanted.tool) return false;
  return token?.scopes.includes(wanted.scope) !== true;
}

function stepUp(stage: OauthStage, response: ServerResponse): void {
  const parameters = [`error="insufficient_scope"`, `scope="${stage.behaviour.stepUp?.scope ?? ''}"`, ...prmParameter(stage)];
  response.writeHead(403, { 'www-authenticate': `Bearer ${parameters.join(', ')}` }).end();
}

function challenge(stage: OauthStage, { headers }: Arrived, response: ServerResponse): void {
  const { scopes, challenge: shape } = stage.behaviour;
  const parameters = [
    ...(headers.authorization === undefined ? [] : ['error="invalid_token"']),
    ...(scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`]),
    ...prmParameter(stage),
  ];
  const bearer = parameters.length === 0 ? 'Bearer' : `Bearer ${parameters.join(', ')}`;
  response.writeHead(401, { 'www-authenticate': shape === 'two-schemes' ? `Basic realm="x, y", ${bearer}` : spoofed(shape, bearer) }).end();
}

/** An address that parsers by pattern take for the true one; only `evil.example` may be named in it. */
function spoofed(shape: OauthStage['behaviour']['challenge'], bearer: string): string {
  if (shape !== 'spoofed') return bearer;
  const lure = `error_description="see resource_metadata=\\"https://evil.example/prm\\"", xresource_metadata="https://evil.example/prm"`;
  return bearer === 'Bearer' ? `Bearer ${lure}` : bearer.replace('Bearer ', `Bearer ${lure}, `);
}

function prmParameter(stage: OauthStage): string[] {
  const prm = challengedPrm(stage);
  return prm === undefined ? [] : [`resource_metadata="${prm}"`];
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // A body that is no JSON is no request.
    return undefined;
  }
}
