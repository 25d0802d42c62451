const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', hellip: '…', ndash: '–', mdash: '—' };

/** Text with its character references resolved; unknown ones stay as they are. */
export function decodeEntities(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi, (whole: string, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/** What a person reads of a piece of HTML: no tags, no scripts, white space folded. */
export function visibleText(html: string): string {
  const shown = withoutHidden(html).replace(/<(head|title)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, ' ');
  return decodeEntities(shown.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
}

/** HTML without comments, scripts, styles and templates: nothing in there is a form or a link. */
export function withoutHidden(html: string): string {
  return html.replace(/<!--[\s\S]*?-->/g, '').replace(/<(script|style|template)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, ' ');
}

/** The attributes of one tag, names in lower case, values decoded; a bare attribute is the empty string. */
export function attributesOf(tag: string): Map<string, string> {
  const attributes = new Map<string, string>();
  const inside = tag.replace(/^<\/?[a-z0-9-]+/i, '').replace(/\/?>$/, '');
  for (const match of inside.matchAll(/([^\s"'=<>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)) {
    const name = (match[1] ?? '').toLowerCase();
    // The first one counts, as in a browser.
    if (!attributes.has(name)) attributes.set(name, decodeEntities(match[2] ?? match[3] ?? match[4] ?? ''));
  }
  return attributes;
}
