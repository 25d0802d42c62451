import { isIP } from 'node:net';

const MAX_CHARS = 63;
/** Room for `-` and a number. */
const MAX_STEM_CHARS = 56;
const NO_NAME = 'server';
/** Second labels under which countries register names, as in example.co.uk. */
const SECOND_LEVEL = new Set(['ac', 'co', 'com', 'edu', 'go', 'gov', 'gob', 'ne', 'net', 'or', 'org']);

function mainLabel(hostname: string): string {
  if (isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0) return NO_NAME;
  const labels = hostname.split('.').filter((label) => label !== '');
  const [top = '', second = ''] = labels.toReversed();
  const suffix = labels.length > 2 && top.length === 2 && SECOND_LEVEL.has(second) ? 2 : 1;
  return labels.at(-1 - suffix) ?? labels[0] ?? NO_NAME;
}

/** A name for a server from its URL's host: `notion` from api.notion.com, `server` when there is only a number. */
export function nameFromUrl(url: string): string {
  const label = mainLabel(new URL(url).hostname.toLowerCase()).replace(/[^a-z0-9-]/g, '-');
  const name = label.slice(0, MAX_STEM_CHARS).replace(/^-+|-+$/g, '');
  return name === '' ? NO_NAME : name;
}

/** The name, or with `-2`, `-3`, … the first that is not taken. */
export function uniqueName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) {
    const candidate = `${name.slice(0, MAX_CHARS - 1 - String(number).length)}-${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}
