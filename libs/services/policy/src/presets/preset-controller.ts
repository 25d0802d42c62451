import { Serves } from '@gatehouse/bus';
import { presetContracts, type Actor, type upstreamContracts } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import type { ShownPreset } from './preset-book.js';
import { Presets } from './presets.js';

/** Answers for presets. */
@Controller()
export class PresetController {
  constructor(private readonly presets: Presets) {}

  /** All presets. */
  @Serves(presetContracts.listPresets)
  async list(): Promise<{ items: ShownPreset[] }> {
    return { items: await this.presets.list() };
  }

  /** Writes one. */
  @Serves(presetContracts.putPreset)
  put({ actor, preset }: { actor: Actor; preset: upstreamContracts.Preset }): Promise<ShownPreset> {
    return this.presets.put(actor, preset);
  }

  /** Forgets what was written. */
  @Serves(presetContracts.deletePreset)
  remove({ actor, name }: { actor: Actor; name: string }): Promise<{ name: string }> {
    return this.presets.remove(actor, name);
  }
}
