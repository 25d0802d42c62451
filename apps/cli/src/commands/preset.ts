import { api, presetContracts } from '@gatehouse/contracts';
import type { Command } from 'commander';
import type { z } from 'zod';
import { path } from '../admin-api.js';
import { usageFailure } from '../failure.js';
import { addList, addRemove } from '../list-verb.js';
import { toYaml, type Format } from '../output/print.js';
import type { Columns } from '../output/table.js';
import { requestBody } from '../request-body.js';
import { invocation, noun, verb, type Context } from '../verb.js';
import { objectIn } from '../yaml-file.js';

type Preset = z.output<typeof presetContracts.shownPreset>;

interface Options {
  file?: string;
  output?: Format;
}

const COLUMNS: Columns<Preset> = {
  name: (preset) => preset.name,
  title: (preset) => preset.title,
  source: (preset) => preset.source,
  hosts: (preset) => preset.hosts.join(', '),
  documentation: (preset) => preset.documentation,
};

/** `gatehouse preset …`: what `show` prints, `set` takes. */
export function addPreset(program: Command, context: Context): void {
  const preset = noun(program, 'preset', 'What is known of providers: settings that their servers have without being told');
  addList(preset, context, { summary: 'List the presets', path: '/presets', page: api.presetPage, columns: COLUMNS });
  verb(preset, 'show <name>', 'Show one preset, as set takes it', 'gatehouse preset show github -o yaml > github.yaml').action((name: string, options: Options) => show(context, name, options));
  verb(preset, 'set <name>', 'Write a preset, over a built-in one by that name too', 'gatehouse preset set github -f github.yaml')
    .option('-f, --file <file>', 'the preset (YAML or JSON); - for standard input')
    .action((name: string, options: Options) => set(context, name, options));
  addRemove(preset, context, { argument: '<name>', summary: 'Forget what was written; a built-in preset is as it was shipped again', example: 'github', path: '/presets' });
}

async function show(context: Context, name: string, options: Options): Promise<void> {
  const preset = await context.api.ask({ path: `/presets${path(name)}`, answer: presetContracts.shownPreset });
  invocation(context, options).answer(preset, () => toYaml(preset));
}

async function set(context: Context, name: string, options: Options): Promise<void> {
  if (options.file === undefined) throw usageFailure('which file? preset set takes -f FILE', 'gatehouse preset show github -o yaml prints one to start from');
  // What show says besides is not the preset's own.
  const { name: _name, source: _source, ...given } = await objectIn(options.file, context.surroundings);
  const body = requestBody(api.presetBody, given);
  const preset = await context.api.ask({ method: 'PUT', path: `/presets${path(name)}`, body, answer: presetContracts.shownPreset });
  invocation(context, options).answer(preset, () => toYaml(preset));
}
