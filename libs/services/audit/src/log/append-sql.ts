/** Locks the edge's head for this transaction, making it at first sight. */
export const LOCK_EDGE = `
INSERT INTO edge_heads (edge, last_seq) VALUES ($1, 0)
ON CONFLICT (edge) DO UPDATE SET seen_at = now()
RETURNING last_seq`;

/** Moves the edge's head. */
export const MOVE_EDGE = 'UPDATE edge_heads SET last_seq = $2 WHERE edge = $1';

/**
 * Appends entries and brings the records up to date, in one statement. $1 holds all texts one after the other;
 * $2 the edge's numbers; $3 to $6 where each leaf and each document begins (from 1) and how long it is; $7 how
 * many there are; $8 the edge. The row of `log_head` stays locked until the commit, so numbers become visible
 * in their order. An edge cannot touch the record of a call that another edge made.
 */
export const APPEND = `
WITH line AS MATERIALIZED (
  SELECT ord, edge_seq,
    substring($1::bytea FROM leaf_at FOR leaf_length) AS leaf,
    convert_from(substring($1::bytea FROM document_at FOR document_length), 'UTF8')::jsonb AS document
  FROM unnest($2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[]) WITH ORDINALITY
    AS place (edge_seq, leaf_at, leaf_length, document_at, document_length, ord)
), head AS (
  UPDATE log_head SET seq = seq + $7::int RETURNING seq - $7::int AS base
), entry AS (
  INSERT INTO entries (seq, event_id, edge, edge_seq, boot, leaf, leaf_hash)
  SELECT base + ord, document ->> 'id', $8::text, edge_seq, document #>> '{origin,boot}', leaf, sha256('\\x00'::bytea || leaf)
  FROM line, head
), record AS (
  INSERT INTO records (call_id, edge, at, first_seq, last_seq, facts, outcome)
  SELECT document ->> 'callId', $8::text,
    coalesce(min((document ->> 'at')::bigint) FILTER (WHERE document ? 'facts'), min((document ->> 'at')::bigint)),
    base + min(ord), base + max(ord),
    (array_agg(document -> 'facts' ORDER BY ord) FILTER (WHERE document ? 'facts'))[1],
    (array_agg(document -> 'outcome' ORDER BY ord) FILTER (WHERE document ? 'outcome'))[1]
  FROM line, head
  GROUP BY document ->> 'callId', base
  ON CONFLICT (call_id) DO UPDATE SET
    at = CASE WHEN records.facts IS NULL THEN excluded.at ELSE records.at END,
    last_seq = excluded.last_seq,
    facts = coalesce(records.facts, excluded.facts),
    outcome = coalesce(records.outcome, excluded.outcome)
  WHERE records.edge = excluded.edge
)
SELECT base + $7::int AS seq FROM head`;

/** Stretches of numbers that never arrived: $1 the edge, $2 and $3 first and last numbers. */
export const NOTE_GAPS = `
INSERT INTO gaps (edge, from_seq, to_seq) SELECT $1, * FROM unnest($2::bigint[], $3::bigint[])
ON CONFLICT DO NOTHING`;

/** Keeps what does not belong into the log: $1 the edge, $2 numbers, $3 reasons, $4 bodies in hexadecimal. */
export const BURY = `
INSERT INTO dead_letters (edge, edge_seq, reason, body, body_hash)
SELECT $1, edge_seq, reason, decode(body, 'hex'), sha256(decode(body, 'hex'))
FROM unnest($2::bigint[], $3::text[], $4::text[]) AS letter (edge_seq, reason, body)
ON CONFLICT DO NOTHING
RETURNING edge_seq`;

/** Hashes of what is known under these numbers: $1 the edge, $2 numbers. */
export const KNOWN = `
SELECT edge_seq, encode(leaf_hash, 'hex') AS hash FROM entries WHERE edge = $1 AND edge_seq = ANY($2::bigint[])`;

/** Which of these event ids are taken. */
export const TAKEN_IDS = 'SELECT event_id FROM entries WHERE event_id = ANY($1::text[])';
