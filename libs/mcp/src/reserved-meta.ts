import { isJsonObject, type JsonObject } from '@gatehouse/kernel';

// A prefix whose second label is `modelcontextprotocol` or `mcp` belongs to the protocol (2026-07-28
// basic/index, _meta); `io.gatehouse` is ours, and only ours to set.
const RESERVED = /^([^./]*\.(modelcontextprotocol|mcp)[./]|io\.gatehouse\/)/;
// As bytes: a string would be encoded again for each search.
const META = Buffer.from('_meta');
const ESCAPE = Buffer.from('\\u');
const TRACES = ['.modelcontextprotocol', '.mcp', 'io.gatehouse'].map((trace) => Buffer.from(trace));

/**
 * The reserved keys in the `_meta` of a params or result object. Such keys speak to the next hop, and the
 * next hop is Gatehouse: one that passed through would let a client pose as us to the server, or a
 * server forge our refusal towards the client.
 */
export function reservedMetaKeys(holder: JsonObject | undefined): string[] {
  const meta = holder?.['_meta'];
  return isJsonObject(meta) ? Object.keys(meta).filter((key) => RESERVED.test(key)) : [];
}

/** The object without reserved `_meta` keys: the same object when it has none, so bytes can go out unchanged. */
export function stripReservedMeta(holder: JsonObject): JsonObject {
  const reserved = reservedMetaKeys(holder);
  if (reserved.length === 0) return holder;
  const kept = Object.entries(holder['_meta'] as JsonObject).filter(([key]) => !reserved.includes(key));
  return { ...holder, _meta: Object.fromEntries(kept) };
}

/** False when the bytes of a message cannot hold a reserved key, which saves parsing a large answer; true means: look. */
export function mayHoldReservedMeta(bytes: Buffer): boolean {
  return (bytes.includes(META) && TRACES.some((trace) => bytes.includes(trace))) || bytes.includes(ESCAPE);
}
