/**
 * What a terminal obeys or a reader cannot see: C0 and C1 controls (ESC and the one-byte CSI among
 * them), DEL, line separators, bidirectional overrides, zero-width and tag characters.
 */
// eslint-disable-next-line no-control-regex -- the control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/gu;

const LAYOUT = new Set(['\n', '\t']);

/**
 * Makes text of others harmless on a terminal: a tool's description must not be able to rewrite what
 * the screen says, set the title or hide words. Line breaks and tabs stay.
 */
export function plainText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, (found) => (LAYOUT.has(found) ? found : escaped(found)));
}

/** The same for one cell or line: whitespace of any kind becomes one space. */
export function plainLine(text: string): string {
  return plainText(text.replace(/\s+/g, ' ').trim());
}

/** Escapes the same characters inside JSON or double-quoted YAML, where they stand in strings only. */
export function plainJson(json: string): string {
  return plainText(json);
}

/** True when the text has something in it that would be escaped. */
export function isUnsafe(text: string): boolean {
  return plainText(text) !== text;
}

function escaped(character: string): string {
  // UTF-16 units, so that the same text is a valid escape in JSON.
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}
