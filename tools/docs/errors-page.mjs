import { ERRORS } from '@gatehouse/kernel';
import { row, table } from './markdown.mjs';

/** Every error Gatehouse answers with, from the kernel's table. */
export function errorsPage() {
  const rows = Object.entries(ERRORS).map(([code, error]) =>
    row([`\`${code}\``, error.status, error.mcpStatus ?? error.status, error.rpcCode, error.retryable ? 'yes' : 'no', error.sentence]),
  );
  return `# Errors

A refusal has the same code everywhere: \`code\` of the admin API's problem document (RFC 9457), \`error.data.type\` of a JSON-RPC error, \`code\` under \`_meta["io.gatehouse/refusal"]\` of a refused tool call, log lines and the record. *Retryable* means that the same request may succeed later without any change.

${table(['code', 'HTTP (admin API)', 'HTTP (MCP)', 'JSON-RPC', 'retryable', 'what the caller is told'], rows)}`;
}
