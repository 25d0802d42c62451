import { Fault } from '@gatehouse/kernel';

/** Refuses what NATS would: empty tokens, white space and, unless it is a pattern, wildcards. A Fault. */
export function checkSubject(subject: string, kind: 'subject' | 'pattern'): string {
  const tokens = subject.split('.');
  const fits = tokens.every((token, at) => fitsToken(token, kind, at === tokens.length - 1));
  if (!fits) throw new Fault(`not a ${kind}: ${JSON.stringify(subject)}`);
  return subject;
}

function fitsToken(token: string, kind: 'subject' | 'pattern', last: boolean): boolean {
  if (token === '' || /\s/.test(token)) return false;
  if (!/[*>]/.test(token)) return true;
  return kind === 'pattern' && (token === '*' || (token === '>' && last));
}

/** True when a pattern has wildcards. */
export function isWild(pattern: string): boolean {
  return /[*>]/.test(pattern);
}

/** NATS matching: `*` stands for one token, a final `>` for one or more. */
export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const given = subject.split('.');
  for (const [at, token] of wanted.entries()) {
    if (token === '>') return given.length > at;
    if (token !== '*' && token !== given[at]) return false;
    if (given[at] === undefined) return false;
  }
  return wanted.length === given.length;
}
