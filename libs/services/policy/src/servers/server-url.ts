import { Refusal } from '@gatehouse/kernel';

const MAX_CHARS = 2_048;

/** What is wrong with the form of a URL, as the `reason` of a `url_refused`. */
export function urlProblem(text: string, allowPrivateNetwork: boolean): string | undefined {
  if (text.length > MAX_CHARS) return 'too_long';
  // The parser would quietly drop white space and turn backslashes round: what is stored is what is meant.
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return 'not_a_url';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowPrivateNetwork)) return 'scheme';
  if (url.username + url.password !== '') return 'userinfo';
  if (text.includes('#')) return 'fragment';
  return url.port === '0' ? 'port' : undefined;
}

/**
 * The form of a server's URL: https, or http with the allowance for private networks; no user, password or fragment.
 * Where its name leads is judged where it is called. Refuses with `url_refused`, details `reason`.
 */
export function requireServerUrl(text: string, allowPrivateNetwork: boolean): void {
  const reason = urlProblem(text, allowPrivateNetwork);
  if (reason !== undefined) throw new Refusal('url_refused', { reason });
}
