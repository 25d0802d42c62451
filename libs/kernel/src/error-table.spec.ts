import { describe, expect, it } from '@jest/globals';
import { ERRORS, errorRow, type ErrorCode } from './error-table.js';

const rows = (Object.keys(ERRORS) as ErrorCode[]).map((code) => [code, errorRow(code)] as const);
// -32000 to -32099 is the protocol's to give out: these are what MCP gave a meaning (error code policy).
const MEANT_BY_MCP = new Set([-32000, -32001, -32022]);
const JSON_RPC = new Set([-32700, -32600, -32601, -32602, -32603]);

describe('the error table', () => {
  it.each(rows)('%s has a name, a status and a sentence for people', (code, row) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(row.sentence).toMatch(/^[A-Z].*\.$/);
    expect(row.sentence.length).toBeLessThan(120);
    expect(row.status >= 400 && row.status < 600).toBe(true);
    expect(row.mcpStatus === undefined || row.mcpStatus === 200).toBe(true);
  });

  it.each(rows)('%s has a JSON-RPC code that is its own, or the protocol means it so', (_code, { rpcCode }) => {
    expect(rpcCode > 0 || JSON_RPC.has(rpcCode) || MEANT_BY_MCP.has(rpcCode)).toBe(true);
  });

  it('gives no two errors of ours the same code', () => {
    const own = rows.map(([, { rpcCode }]) => rpcCode).filter((code) => code > 0);
    expect(new Set(own).size).toBe(own.length);
  });

  it('promises that trying again may help where that is so, and nowhere else', () => {
    const later = rows.filter(([, { retryable }]) => retryable).map(([, { status }]) => status);
    expect(new Set(later)).toEqual(new Set([429, 500, 502, 503, 504]));
    expect(rows.filter(([, { status, retryable }]) => status < 429 && retryable)).toEqual([]);
  });
});
