import { errorRow, Refusal, type Fault } from '@gatehouse/kernel';
import { jsonRpcErrorBytes, refusedToolResult, urlElicitationRequired } from '@gatehouse/mcp';
import { connectLinkOf } from '../identity/way-to-identity.js';
import type { CallDraft } from './record.js';

/**
 * A refusal in the shape that its client can do the most with: a page to open for one that opens pages, a
 * result for the model where a call was understood and not allowed, else a JSON-RPC error.
 */
export function refusalBody(error: Refusal | Fault, draft: CallDraft): Buffer {
  const { id, method } = draft.asked;
  if (id === undefined || !(error instanceof Refusal)) return jsonRpcErrorBytes(id, error);
  const link = connectLinkOf(error);
  if (link !== undefined && draft.opensPages) return bytesOf(urlElicitationRequired(id, error, { elicitationId: link.id, url: link.url, message: connectMessage(draft) }));
  const row = errorRow(error.code);
  const isForModel = method === 'tools/call' && row.rpcCode > 0 && (row.mcpStatus ?? row.status) === 200;
  return isForModel ? bytesOf(refusedToolResult(id, error)) : jsonRpcErrorBytes(id, error);
}

function connectMessage({ facts }: CallDraft): string {
  return `Connect your account at ${facts.server?.name ?? 'the server'} to go on.`;
}

function bytesOf(body: object): Buffer {
  return Buffer.from(JSON.stringify(body));
}
