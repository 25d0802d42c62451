import type { JsonObject } from '@gatehouse/kernel';
import { jsonOf, withoutBlanks } from './answer-body.js';
import { refusalWithin, troubleWords } from './trouble-words.js';
import type { UpstreamFetch } from './upstream-fetch.js';

/** What was found at an address where a metadata document could be. `words` is half a sentence. */
export type FoundDocument =
  | { kind: 'document'; members: JsonObject }
  /** Nothing of the kind is there: 4xx, a redirect, or a page for people. */
  | { kind: 'absent'; words: string }
  /** Something is wrong there, which must not pass for absence. */
  | { kind: 'broken'; words: string };

/** Looks for a JSON document; never rejects for what the other side did. */
export async function readDocument(fetch: UpstreamFetch, url: string): Promise<FoundDocument> {
  try {
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    return await documentOf(response);
  } catch (error) {
    if (refusalWithin(error) === undefined) throw error;
    return { kind: 'broken', words: troubleWords(error) };
  }
}

async function documentOf(response: Response): Promise<FoundDocument> {
  const { status } = response;
  if (status >= 500 || status === 429) return { kind: 'broken', words: `it answered with HTTP status ${status}` };
  if (status >= 400) return { kind: 'absent', words: `there is none (HTTP status ${status})` };
  if (status >= 300) return { kind: 'absent', words: 'it sends on to another address, which is not followed' };
  const members = jsonOf(await response.text());
  // A single-page application answers every path with its page (auth.md section 5).
  if (members === undefined) return { kind: 'absent', words: 'what is there is not a JSON document' };
  return { kind: 'document', members: withoutBlanks(members) };
}
