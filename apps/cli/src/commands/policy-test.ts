import { api, policyContracts } from '@gatehouse/contracts';
import { Option, type Command } from 'commander';
import type { z } from 'zod';
import { findPerson } from '../callers.js';
import { CliFailure, EXIT } from '../failure.js';
import { jsonArgument } from '../json-argument.js';
import { remark, type Format } from '../output/print.js';
import { fieldList } from '../output/table.js';
import { policiesIn } from '../policy-files.js';
import { each, invocation, verb, type Context } from '../verb.js';

type Person = z.output<typeof policyContracts.policyQuestion>['person'];

interface TestOptions {
  person?: string;
  email?: string;
  role?: string[];
  team?: string[];
  client?: string;
  action?: string;
  file?: string[];
  expect?: 'allow' | 'deny';
  output?: Format;
}

const REASONS = {
  permitted: 'a policy permits it',
  forbidden: 'a policy forbids it',
  no_policy: 'no policy permits it',
  evaluation_error: 'a policy could not be evaluated, so the answer is no',
} as const;

/** `gatehouse policy test`. */
export function addPolicyTest(policy: Command, context: Context): void {
  verb(
    policy,
    'test <server> [target] [arguments]',
    'Ask whether somebody would be allowed something (target: tool, prompt or resource; arguments: JSON)',
    'gatehouse policy test demo echo --person ada@example.com --expect allow',
  )
    .option('--person <who>', 'a person here, by id, e-mail or name; else an imagined one is made of the options below')
    .option('--email <address>', 'e-mail address of the imagined person')
    .option('--role <role>', 'role of the imagined person (repeatable; default: member)', each)
    .option('--team <team>', 'team of the imagined person (repeatable)', each)
    .option('--client <name>', 'name of the client they use')
    .addOption(new Option('--action <action>', 'what they do (default: call, or connect without a target)').choices(policyContracts.policyQuestion.shape.action.options))
    .option('-f, --file <file>', 'ask over these policies in place of those in force (repeatable, - for standard input)', each)
    .addOption(new Option('--expect <effect>', 'exit 4 when the answer is another one').choices(['allow', 'deny']))
    .action((...given: [string, string | undefined, string | undefined, TestOptions]) => test(context, given));
}

async function test(context: Context, [server, target, args, options]: [string, string | undefined, string | undefined, TestOptions]): Promise<void> {
  const question = {
    person: await personFrom(context, options),
    server,
    client: options.client ?? '',
    action: options.action ?? (target === undefined ? 'connect' : 'call'),
    target: target ?? null,
    arguments: args === undefined ? {} : await jsonArgument(args, context.surroundings),
  };
  const draft = options.file === undefined ? null : await policiesIn(options.file, context.surroundings);
  const answer = await context.api.ask({ method: 'POST', path: '/policies/test', body: { question, draft }, answer: api.policyAnswer });
  invocation(context, options).answer(answer, () =>
    fieldList({ decision: answer.effect, because: REASONS[answer.reason], policies: answer.policies.join(', ') }),
  );
  check(context, options.expect, answer.effect);
}

function check(context: Context, expected: string | undefined, effect: string): void {
  if (expected === undefined) return;
  if (expected !== effect) throw new CliFailure({ message: `expected ${expected}, and the answer is ${effect}`, exit: EXIT.checkFailed });
  if (context.surroundings.stderr.isTerminal) remark(context.surroundings, `as expected: ${effect}`);
}

async function personFrom(context: Context, options: TestOptions): Promise<Person> {
  if (options.person === undefined) {
    return { id: 'imagined', email: options.email ?? null, teams: options.team ?? [], roles: options.role ?? ['member'] };
  }
  const { id, email, effective } = await findPerson(context.api, options.person);
  return { id, email, teams: effective.teams, roles: effective.roles };
}
