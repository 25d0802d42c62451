import { policyName } from '@gatehouse/contracts';
import { checkAgainstSchema } from './check-against-schema.js';
import { invalidPolicy, type Source } from './policy-problem.js';
import { readStatement } from './read-statement.js';
import { problemOfText, splitStatements } from './split-statements.js';
import type { Statement } from './statement.js';

const MAX_DOCUMENTS = 1_000;
const MAX_STATEMENTS = 1_000;
const MAX_TEXT_BYTES = 65_536;
const MAX_TOTAL_BYTES = 4 * 1_024 * 1_024;

/** A policy as it is stored: a name and a text of one or more Cedar statements. */
export interface PolicyDocument {
  name: string;
  text: string;
}

/** A policy, read. */
export interface ReadDocument {
  readonly text: string;
  readonly statements: readonly Statement[];
}

/** Refuses with `invalid_policy` what is too much: 1,000 policies, 64 KiB for one, 4 MiB for all. */
function refuseTooMuch(documents: readonly PolicyDocument[]): void {
  if (documents.length > MAX_DOCUMENTS) throw invalidPolicy('', `there are ${documents.length} policies, the limit is ${MAX_DOCUMENTS}`);
  let total = 0;
  for (const { name, text } of documents) {
    const bytes = Buffer.byteLength(text);
    total += bytes;
    if (bytes > MAX_TEXT_BYTES) throw invalidPolicy(name, `the text has ${bytes} bytes, the limit is ${MAX_TEXT_BYTES}`);
    if (total > MAX_TOTAL_BYTES) throw invalidPolicy(name, `all policies together are limited to ${MAX_TOTAL_BYTES} bytes`);
  }
}

function refuseBadNames(documents: readonly PolicyDocument[]): void {
  const seen = new Set<string>();
  for (const { name } of documents) {
    if (!policyName.safeParse(name).success) throw invalidPolicy(name, 'a name has letters, digits, dots, underscores and hyphens, at most 128');
    if (seen.has(name)) throw invalidPolicy(name, 'there are two policies by this name');
    seen.add(name);
  }
}

function readDocument({ name, text }: PolicyDocument): ReadDocument {
  const problem = problemOfText(text);
  if (problem !== undefined) throw invalidPolicy(name, problem);
  const parts = splitStatements(text);
  if (parts.length > MAX_STATEMENTS) throw invalidPolicy(name, `there are ${parts.length} statements in it, the limit is ${MAX_STATEMENTS}`);
  return { text, statements: parts.map((part, index) => readStatement({ policy: name, text, start: part.start }, part, index)) };
}

function checkNew(read: ReadonlyMap<string, ReadDocument>, isNew: ReadonlySet<string>): void {
  const sources = new Map<string, Source>();
  const statements: Statement[] = [];
  for (const [policy, document] of read) {
    if (!isNew.has(policy)) continue;
    const starts = splitStatements(document.text);
    document.statements.forEach((statement, index) => sources.set(statement.id, { policy, text: document.text, start: starts[index]!.start }));
    statements.push(...document.statements);
  }
  if (statements.length > 0) checkAgainstSchema(statements, (id) => sources.get(id)!);
}

/**
 * Reads and checks policies. A policy that `known` has with the same text is taken from there, unread. Refuses with
 * `invalid_policy`, details `policy`, `problem` and where it is known `line` and `column`.
 */
export function readDocuments(documents: readonly PolicyDocument[], known?: ReadonlyMap<string, ReadDocument>): Map<string, ReadDocument> {
  refuseTooMuch(documents);
  refuseBadNames(documents);
  const read = new Map<string, ReadDocument>();
  const isNew = new Set<string>();
  for (const document of documents) {
    const same = known?.get(document.name);
    if (same?.text !== document.text) isNew.add(document.name);
    read.set(document.name, same?.text === document.text ? same : readDocument(document));
  }
  const total = [...read.values()].reduce((sum, { statements }) => sum + statements.length, 0);
  if (total > MAX_STATEMENTS) throw invalidPolicy('', `there are ${total} statements in all policies, the limit is ${MAX_STATEMENTS}`);
  checkNew(read, isNew);
  return read;
}
