import { describe, expect, it } from '@jest/globals';
import { mayHoldReservedMeta, reservedMetaKeys, stripReservedMeta } from './reserved-meta.js';

const reserved = ['io.modelcontextprotocol/protocolVersion', 'io.modelcontextprotocol/x', 'dev.mcp/x', 'com.mcp.tools/x', 'io.modelcontextprotocol.registry/x', 'io.gatehouse/refusal'];
const free = ['progressToken', 'traceparent', 'com.example/x', 'com.example.mcp/x', 'mcp/x', 'io.gatehouses/x', 'a/io.modelcontextprotocol/x'];
const holder = { name: 'a', _meta: Object.fromEntries([...reserved, ...free].map((key) => [key, 1])) };

describe('reserved _meta keys', () => {
  it('are found by the second label of their prefix', () => {
    expect(reservedMetaKeys(holder)).toEqual(reserved);
    expect(reservedMetaKeys(undefined)).toEqual([]);
    expect(reservedMetaKeys({ _meta: 1 })).toEqual([]);
  });

  it('are taken out, everything else stays', () => {
    expect(stripReservedMeta(holder)).toEqual({ name: 'a', _meta: Object.fromEntries(free.map((key) => [key, 1])) });
  });

  it('leave an object without them as it is', () => {
    const clean = { _meta: { progressToken: 1 } };
    expect(stripReservedMeta(clean)).toBe(clean);
  });

  it('are never missed by the quick look at the bytes', () => {
    for (const key of reserved) expect(mayHoldReservedMeta(Buffer.from(JSON.stringify({ _meta: { [key]: 1 } })))).toBe(true);
    expect(mayHoldReservedMeta(Buffer.from(String.raw`{"_meta":{"io.\u006dodelcontextprotocol/x":1}}`))).toBe(true);
    expect(mayHoldReservedMeta(Buffer.from(String.raw`{"\u005fmeta":{"io.modelcontextprotocol/x":1}}`))).toBe(true);
    expect(mayHoldReservedMeta(Buffer.from('{"_meta":{"progressToken":1}}'))).toBe(false);
    expect(mayHoldReservedMeta(Buffer.from('{"text":"see io.modelcontextprotocol/x"}'))).toBe(false);
  });
});
