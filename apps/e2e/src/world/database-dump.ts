import pg from 'pg';

/**
 * Every row of every table as text, the way a dump shows it (bytes as hex). Plain SQL because the
 * client tools of one PostgreSQL version refuse a newer server.
 */
export async function databaseDump(url: string): Promise<Buffer> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const tables = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const parts: string[] = [];
  for (const { name } of tables.rows) {
    const rows = await client.query<{ text: string; plain: string }>(`SELECT t::text AS text, row_to_json(t)::text AS plain FROM ${name} t`);
    parts.push(name, ...rows.rows.flatMap(({ text, plain }) => [text, plain]));
  }
  await client.end();
  return Buffer.from(parts.join('\n'));
}
