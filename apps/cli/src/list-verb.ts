import type { Command } from 'commander';
import type { z } from 'zod';
import { path } from './admin-api.js';
import type { Format } from './output/print.js';
import { fieldList, table, type Columns } from './output/table.js';
import { invocation, verb, type Context } from './verb.js';

/** A list of the admin API as a verb shows it. */
export interface Listing<T> {
  summary: string;
  /** Below /api/v1. */
  path: string;
  page: z.ZodType<{ items: T[]; nextCursor: string | null }>;
  columns: Columns<T>;
}

/** Adds `list` to a noun. */
export function addList<T>(noun: Command, context: Context, listing: Listing<T>): void {
  verb(noun, 'list', listing.summary, `gatehouse ${noun.name()} list`).action(async (options: { output?: Format }) => {
    const items = await context.api.all(listing.path, listing.page);
    invocation(context, options).answer(items, () => table(listing.columns, items, context.surroundings.stdout.columns));
  });
}

/** What `rm` removes. */
export interface Removal {
  /** The argument, as in `<name>`. */
  argument: string;
  summary: string;
  example: string;
  /** Below /api/v1, without the name. */
  path: string;
}

/** Adds `rm` to a noun. */
export function addRemove(noun: Command, context: Context, { argument, summary, example, path: start }: Removal): void {
  verb(noun, `rm ${argument}`, summary, `gatehouse ${noun.name()} rm ${example}`).action(async (name: string, options: { output?: Format }) => {
    await context.api.ask({ method: 'DELETE', path: `${start}${path(name)}` });
    invocation(context, options).answer({ removed: name }, () => fieldList({ removed: name }));
  });
}

/** The one item of a list by its name, or undefined: what a `set` starts from. */
export async function itemNamed<T extends { name: string }>(context: Context, listing: Pick<Listing<T>, 'path' | 'page'>, name: string): Promise<T | undefined> {
  return (await context.api.all(listing.path, listing.page)).find((item) => item.name === name);
}

/** A repeatable option over what was there: named ones replace, `--no-…` (false) empties, nothing keeps. */
export function chosen<T>(option: readonly T[] | false | undefined, held: readonly T[] | undefined): T[] {
  return option === false ? [] : [...(option ?? held ?? [])];
}
