import { api, policyContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from '../admin-api.js';
import { usageFailure } from '../failure.js';
import { plainText } from '../output/plain-text.js';
import { timeText, type Format } from '../output/print.js';
import { fieldList, table, type Columns } from '../output/table.js';
import { policiesIn } from '../policy-files.js';
import { each, invocation, noun, verb, type Context } from '../verb.js';
import { addPolicyTest } from './policy-test.js';

type Policy = policyContracts.Policy;

interface Options {
  file?: string[];
  output?: Format;
}

const COLUMNS: Columns<Policy> = {
  name: (policy) => policy.name,
  version: (policy) => policy.version,
  updated: (policy) => timeText(policy.updatedAt),
  by: (policy) => policy.updatedBy ?? 'first start',
};

/** What applying answers; the snapshot's version is for scripts that wait for it. */
const applied = z.object({ items: z.array(policyContracts.policy) });

/** `gatehouse policy …`. */
export function addPolicy(program: Command, context: Context): void {
  const policy = noun(program, 'policy', 'Who may call what (Cedar)');
  verb(policy, 'list', 'List the policies in force', 'gatehouse policy list').action((options: Options) => list(context, options));
  verb(policy, 'show <name>', 'Show the text of a policy', 'gatehouse policy show signed-in-people-may-call').action((name: string, options: Options) =>
    show(context, name, options),
  );
  verb(policy, 'apply', 'Write the policies of a file, all or none; each is named by its @id("name")', 'gatehouse policy apply -f policies.cedar')
    .option('-f, --file <file>', 'Cedar text (repeatable, - for standard input)', each)
    .action((options: Options) => apply(context, options));
  verb(policy, 'delete <name>', 'Take a policy out of force', 'gatehouse policy delete contractors').action((name: string, options: Options) =>
    remove(context, name, options),
  );
  addPolicyTest(policy, context);
}

async function list(context: Context, options: Options): Promise<void> {
  const policies = await context.api.all('/policies', api.policyPage);
  invocation(context, options).answer(policies, () => table(COLUMNS, policies, context.surroundings.stdout.columns));
}

async function show(context: Context, name: string, options: Options): Promise<void> {
  const policy = await context.api.ask({ path: `/policies${path(name)}`, answer: policyContracts.policy });
  invocation(context, options).answer(policy, () => `${plainText(policy.text).trimEnd()}\n`);
}

async function apply(context: Context, options: Options): Promise<void> {
  if (options.file === undefined) throw usageFailure('which file? policy apply takes -f FILE');
  const policies = await policiesIn(options.file, context.surroundings);
  const { items } = await context.api.ask({ method: 'POST', path: '/policies/apply', body: { policies }, answer: applied });
  invocation(context, options).answer(items, () => table(COLUMNS, items, context.surroundings.stdout.columns));
}

async function remove(context: Context, name: string, options: Options): Promise<void> {
  await context.api.ask({ method: 'DELETE', path: `/policies${path(name)}` });
  invocation(context, options).answer({ deleted: name }, () => fieldList({ deleted: name }));
}
