import { readdirSync, readFileSync } from 'node:fs';
import { upstreamContracts } from '@gatehouse/contracts';

type Preset = upstreamContracts.Preset;

/** Beside `src` and `dist` alike; one file per provider, called by its preset's name. */
const FOLDER = new URL('../../presets/', import.meta.url);

let presets: readonly Preset[] | undefined;

/** What is known of providers, by name; a broken file is a fault of the build and throws. */
export function builtInPresets(): readonly Preset[] {
  presets ??= readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map(presetOf);
  return presets;
}

function presetOf(file: string): Preset {
  const preset = upstreamContracts.preset.parse(JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')));
  if (`${preset.name}.json` !== file) throw new TypeError(`the preset of ${file} calls itself ${preset.name}`);
  return preset;
}
