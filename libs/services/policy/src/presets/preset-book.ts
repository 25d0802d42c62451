import type { presetContracts, upstreamContracts } from '@gatehouse/contracts';
import type { Transaction } from '@gatehouse/persistence';
import type { z } from 'zod';
import { builtInPresets } from './built-in-presets.js';

type Preset = upstreamContracts.Preset;

/** A preset with where it is from. */
export type ShownPreset = z.output<typeof presetContracts.shownPreset>;

interface Pattern {
  host: string;
  preset: Preset;
  /** Smaller ones are asked first. */
  rank: readonly [wildcard: number, chars: number, builtIn: number];
}

/** All presets there are: an edited one stands in place of the built-in one by its name. */
export class PresetBook {
  readonly #shown: readonly ShownPreset[];
  readonly #patterns: readonly Pattern[];

  constructor(builtIn: readonly Preset[], edited: readonly Preset[]) {
    const names = new Set(edited.map(({ name }) => name));
    const shown: ShownPreset[] = [
      ...edited.map((preset) => ({ ...preset, source: 'edited' as const })),
      ...builtIn.filter(({ name }) => !names.has(name)).map((preset) => ({ ...preset, source: 'built-in' as const })),
    ];
    this.#shown = shown.sort((one, other) => (one.name < other.name ? -1 : 1));
    this.#patterns = this.#shown.flatMap(patternsOf).sort(byRank);
  }

  /** By name. */
  list(): readonly ShownPreset[] {
    return this.#shown;
  }

  /**
   * The preset of a server's address: by its very host, else by the longest `*.` under which it stands, an edited one
   * before a built-in one; null when there is none.
   */
  of(url: string): Preset | null {
    const host = new URL(url).hostname.toLowerCase().replace(/\.$/, '');
    return this.#patterns.find((pattern) => matches(pattern.host, host))?.preset ?? null;
  }
}

function patternsOf({ source, ...preset }: ShownPreset): Pattern[] {
  return preset.hosts.map((host) => ({ host, preset, rank: [host.startsWith('*.') ? 1 : 0, -host.length, source === 'edited' ? 0 : 1] }));
}

function byRank({ rank: one }: Pattern, { rank: other }: Pattern): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

/** `*.example.com` is for names below example.com and not for example.com itself. */
function matches(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)) : host === pattern;
}

/** The presets as they are now. */
export async function readPresetBook(db: Transaction): Promise<PresetBook> {
  const rows = await db.query<{ preset: Preset }>('SELECT preset FROM presets ORDER BY name COLLATE "C"');
  return new PresetBook(builtInPresets(), rows.map(({ preset }) => preset));
}
