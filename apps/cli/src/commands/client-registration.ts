import { clientContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import { usageFailure } from '../failure.js';
import { toYaml, type Format } from '../output/print.js';
import { requestBody } from '../request-body.js';
import { invocation, noun, verb, type Context } from '../verb.js';
import { objectIn } from '../yaml-file.js';

type Settings = clientContracts.RegistrationSettings;

interface Options {
  file?: string;
  output?: Format;
}

const PATH = '/client-registration';

/** `gatehouse client registration …`: what `show` prints, `apply` takes. */
export function addClientRegistration(client: Command, context: Context): void {
  const registration = noun(client, 'registration', 'How clients may come by themselves, and the rules about them');
  verb(registration, 'show', 'Show the settings and rules in force, as apply takes them', 'gatehouse client registration show -o yaml > settings.yaml').action((options: Options) =>
    show(context, options),
  );
  verb(registration, 'apply', 'Replace the settings and rules by those of a file (YAML or JSON)', 'gatehouse client registration apply -f settings.yaml')
    .option('-f, --file <file>', 'the settings, whole; - for standard input')
    .action((options: Options) => apply(context, options));
}

async function show(context: Context, options: Options): Promise<void> {
  answer(context, options, await context.api.ask({ path: PATH, answer: clientContracts.registrationSettings }));
}

async function apply(context: Context, options: Options): Promise<void> {
  if (options.file === undefined) throw usageFailure('which file? client registration apply takes -f FILE');
  const body = requestBody(clientContracts.registrationSettings, await objectIn(options.file, context.surroundings));
  answer(context, options, await context.api.ask({ method: 'PUT', path: PATH, body, answer: clientContracts.registrationSettings }));
}

function answer(context: Context, options: Options, settings: Settings): void {
  invocation(context, options).answer(settings, () => toYaml(settings));
}
