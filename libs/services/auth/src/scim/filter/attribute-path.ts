import { scimRefusal, type ScimType } from '../scim-refusal.js';
import type { AttributePath } from './filter-syntax.js';

const NAME = /^(?:[A-Za-z][A-Za-z0-9_-]{0,99}|\$ref)$/;
const URN = /^urn:[A-Za-z0-9][A-Za-z0-9:._-]{0,300}$/i;

/**
 * Reads `name`, `name.sub` or `urn:…:name.sub` (RFC 7644 section 3.10). A name begins with a letter, so
 * `__proto__` is none. Refuses everything else with `as`.
 */
export function attributePath(text: string, as: ScimType): AttributePath {
  const colon = text.lastIndexOf(':');
  const schema = colon < 0 ? null : text.slice(0, colon);
  const [name = '', sub = null, ...rest] = text.slice(colon + 1).split('.');
  const isGood = (schema === null || URN.test(schema)) && NAME.test(name) && (sub === null || NAME.test(sub)) && rest.length === 0;
  if (!isGood) throw scimRefusal(as, `"${text.slice(0, 100)}" is not the name of an attribute.`);
  return { schema, name, sub };
}
