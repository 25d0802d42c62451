import { createHash } from 'node:crypto';
import { isJsonObject, Refusal, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { canonicalJson } from './canonical-json.js';
import type { ListKey } from './methods.js';

const NAMED_BY: Record<ListKey, string> = { tools: 'name', prompts: 'name', resources: 'uri', resourceTemplates: 'uriTemplate' };

/** Whether an item of a list may be shown; `target` is what a later call would be judged by. */
export type ItemPredicate = (target: string, item: JsonObject) => boolean;

/**
 * The result of a list method with only the items that `allowed` says yes to, in their order, every
 * unknown member kept. Items that are no objects or have no name, and a second tool or prompt of a name
 * that was listed already (the pin of the first would vouch for it), are removed. Returns the same object
 * when nothing was removed, so that its bytes can go out unchanged. Refuses `upstream_invalid` when the
 * list itself is missing: what cannot be filtered is not shown.
 */
export function filterList(result: JsonObject, key: ListKey, allowed: ItemPredicate): JsonObject {
  const items = result[key];
  if (!Array.isArray(items)) throw new Refusal('upstream_invalid', { reason: 'list_missing' });
  const seen = NAMED_BY[key] === 'name' ? new Set<string>() : undefined;
  const kept = items.filter((item) => isShown(item, key, allowed, seen));
  return kept.length === items.length ? result : { ...result, [key]: kept };
}

/** What an item of a list is called in decisions: name, uri or uriTemplate; undefined when it has none. */
export function targetOfItem(item: JsonValue, key: ListKey): string | undefined {
  const target = isJsonObject(item) ? item[NAMED_BY[key]] : undefined;
  return typeof target === 'string' && target !== '' ? target : undefined;
}

/**
 * SHA-256 (hex) over the canonical JSON of a definition with all its members: any change a server makes
 * to a tool after it was approved changes this (E-34), a mere reordering of members does not.
 */
export function fingerprint(definition: JsonObject): string {
  return createHash('sha256').update(canonicalJson(definition)).digest('hex');
}

function isShown(item: JsonValue, key: ListKey, allowed: ItemPredicate, seen: Set<string> | undefined): boolean {
  const target = targetOfItem(item, key);
  if (target === undefined || seen?.has(target) === true) return false;
  seen?.add(target);
  return allowed(target, item as JsonObject);
}
