import { scimRefusal, type ScimType } from '../scim-refusal.js';
import { attributePath } from './attribute-path.js';
import type { AttributePath, Comparison, Filter, Literal, ValuePath } from './filter-syntax.js';
import { tokens, type Token } from './filter-tokens.js';

const COMPARISONS = new Set<string>(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] satisfies Comparison[]);
const NUMBER = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?(?:[eE][+-]?\d{1,3})?$/;
const WORDS: ReadonlyMap<string, Literal> = new Map<string, Literal>([['true', true], ['false', false], ['null', null]]);

/** Brackets inside brackets, and comparisons, that one filter may have. */
export const FILTER_LIMITS = { depth: 8, terms: 20 } as const;

/**
 * Parses a filter (RFC 7644 section 3.4.2.2; `emails[type eq "work"].value eq "x"` too, which
 * directories send). It knows no attributes: what may be asked is for whoever turns it into SQL.
 * Refuses with `invalidFilter`.
 */
export function parseFilter(text: string): Filter {
  const parser = new FilterParser(tokens(text, 'invalidFilter'), 'invalidFilter');
  const filter = parser.filter(0);
  parser.end();
  return filter;
}

/** Parses the path of a PATCH operation (RFC 7644 section 3.5.2, figure 7). Refuses with `invalidPath`. */
export function parseValuePath(text: string): ValuePath {
  const parser = new FilterParser(tokens(text, 'invalidPath'), 'invalidPath');
  const path = parser.valuePath();
  parser.end();
  return path;
}

class FilterParser {
  private at = 0;
  private terms = 0;
  private inValues = false;

  constructor(
    private readonly pieces: readonly Token[],
    private readonly as: ScimType,
  ) {}

  filter(depth: number): Filter {
    if (depth > FILTER_LIMITS.depth) throw scimRefusal(this.as, `The filter is nested deeper than ${FILTER_LIMITS.depth} levels.`);
    let left = this.conjunction(depth);
    while (this.takeWord('or')) left = { kind: 'or', terms: [left, this.conjunction(depth)] };
    return left;
  }

  valuePath(): ValuePath {
    const attribute = this.attribute();
    if (!this.takeBracket('[')) return { attribute, filter: null };
    if (attribute.sub !== null) throw this.unreadable();
    const filter = this.inner(0);
    const next = this.pieces[this.at];
    if (next?.kind !== 'word' || !next.text.startsWith('.')) return { attribute, filter };
    return { attribute: { ...attribute, sub: this.subAttribute() }, filter };
  }

  end(): void {
    if (this.at < this.pieces.length) throw this.unreadable();
  }

  private conjunction(depth: number): Filter {
    let left = this.term(depth);
    while (this.takeWord('and')) left = { kind: 'and', terms: [left, this.term(depth)] };
    return left;
  }

  private term(depth: number): Filter {
    if (this.isWord('not') && this.pieces[this.at + 1]?.text === '(') {
      this.at++;
      return { kind: 'not', term: this.term(depth) };
    }
    if (this.takeBracket('(')) {
      const filter = this.filter(depth + 1);
      this.need(')');
      return filter;
    }
    return this.comparison(depth);
  }

  private comparison(depth: number): Filter {
    if (++this.terms > FILTER_LIMITS.terms) throw scimRefusal(this.as, `The filter compares more than ${FILTER_LIMITS.terms} times.`);
    const path = this.attribute();
    if (this.isBracket('[')) return this.values(path, depth);
    return this.compared(path);
  }

  private compared(path: AttributePath): Filter {
    const op = this.word().toLowerCase();
    if (op === 'pr') return { kind: 'present', path };
    if (!COMPARISONS.has(op)) throw scimRefusal(this.as, `"${op.slice(0, 20)}" is not a comparison.`);
    return { kind: 'compare', path, op: op as Comparison, value: this.literal() };
  }

  private values(path: AttributePath, depth: number): Filter {
    if (this.inValues || path.sub !== null) throw this.unreadable();
    this.at++;
    const filter = this.inner(depth);
    const next = this.pieces[this.at];
    if (next?.kind !== 'word' || !next.text.startsWith('.')) return { kind: 'values', path, filter };
    const compared = this.compared({ schema: null, name: this.subAttribute(), sub: null });
    return { kind: 'values', path, filter: { kind: 'and', terms: [filter, compared] } };
  }

  private inner(depth: number): Filter {
    this.inValues = true;
    const filter = this.filter(depth + 1);
    this.inValues = false;
    this.need(']');
    return filter;
  }

  private subAttribute(): string {
    const { name, sub, schema } = attributePath(this.word().slice(1), this.as);
    if (sub !== null || schema !== null) throw this.unreadable();
    return name;
  }

  private attribute(): AttributePath {
    return attributePath(this.word(), this.as);
  }

  private literal(): Literal {
    const token = this.pieces[this.at++];
    if (token?.kind === 'string') return token.text;
    const word = token?.kind === 'word' ? token.text.toLowerCase() : '';
    if (WORDS.has(word)) return WORDS.get(word)!;
    if (NUMBER.test(word)) return Number(word);
    throw scimRefusal(this.as, 'A comparison needs a text in double quotes, a number, true, false or null.');
  }

  private word(): string {
    const token = this.pieces[this.at++];
    if (token?.kind !== 'word') throw this.unreadable();
    return token.text;
  }

  private isWord(word: string): boolean {
    const token = this.pieces[this.at];
    return token?.kind === 'word' && token.text.toLowerCase() === word;
  }

  private takeWord(word: string): boolean {
    return this.isWord(word) && ++this.at > 0;
  }

  private isBracket(bracket: string): boolean {
    const token = this.pieces[this.at];
    return token?.kind === 'bracket' && token.text === bracket;
  }

  private takeBracket(bracket: string): boolean {
    return this.isBracket(bracket) && ++this.at > 0;
  }

  private need(bracket: string): void {
    if (!this.takeBracket(bracket)) throw scimRefusal(this.as, `A "${bracket}" is missing.`);
  }

  private unreadable(): Error {
    return scimRefusal(this.as, this.at < this.pieces.length ? `"${this.pieces[this.at]!.text.slice(0, 50)}" cannot stand there.` : 'The expression is not complete.');
  }
}
