import type { auditContracts } from '@gatehouse/contracts';

type Filter = auditContracts.RecordFilter;

/** Conditions of a WHERE clause with the parameters they refer to. */
export class Conditions {
  readonly params: unknown[] = [];
  private readonly clauses = ['facts IS NOT NULL'];

  /** Adds a condition; `$` stands for the value, which is always sent as a parameter. */
  add(clause: string, value: unknown): void {
    this.clauses.push(clause.replaceAll('$', this.bind(value)));
  }

  /** The placeholder of a further parameter. */
  bind(value: unknown): string {
    this.params.push(value);
    return `$${this.params.length}`;
  }

  /** The whole clause. */
  get sql(): string {
    return this.clauses.join(' AND ');
  }
}

/**
 * What each member of a filter means. All compare exactly, but e-mail addresses (and names that look like one)
 * without regard to case. Long texts are found by their MD5, which an index can hold, and then compared.
 */
const CLAUSES: { readonly [K in keyof Required<Filter>]: string } = {
  since: 'at >= $::bigint',
  until: 'at <= $::bigint',
  kind: 'kind = $::text',
  caller:
    "(caller_id = $::text OR (md5(lower(caller_name)) = md5(lower($::text)) AND lower(caller_name) = lower($::text) AND (caller_name = $::text OR strpos($::text, '@') > 0)))",
  server: '(server_name = $::text OR server_id = $::text)',
  tool: 'md5(target) = md5($::text) AND target = $::text',
  method: 'method = $::text',
  decision: 'effect = $::text',
  policy: "facts #> '{decision,policies}' @> jsonb_build_array($::text)",
  outcome: 'status = $::text',
  code: 'code = $::text',
  traceId: 'trace_id = $::text',
  id: 'call_id = $::text',
  troubledBeyondMs: "(status IN ('upstream_error', 'error') OR (outcome #>> '{steps,forward}')::numeric > $::int OR outcome ? 'hops')",
};

/** The conditions of a filter. */
export function conditionsOf(filter: Filter): Conditions {
  const conditions = new Conditions();
  for (const [name, clause] of Object.entries(CLAUSES)) {
    const value = filter[name as keyof Filter];
    if (value !== undefined) conditions.add(clause, value);
  }
  return conditions;
}

/** A NUL can be in no column and in no parameter: nothing matches. */
export function canMatch(filter: Filter): boolean {
  return !Object.values(filter).some((value) => typeof value === 'string' && value.includes('\u0000'));
}
