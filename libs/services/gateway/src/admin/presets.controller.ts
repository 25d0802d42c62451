import { Body, Controller, Delete, Get, Inject, Param, Put, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, presetContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { NOTHING, Operation } from './operation.js';
import { PATH } from './path-parameters.js';

const path = { name: PATH.preset };
const { deletePreset, listPresets, putPreset, shownPreset } = presetContracts;

/** `/api/v1/presets`: what is known of providers, by the hosts of their servers. */
@Controller('api/v1/presets')
export class PresetsController {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  @Get()
  @Needs('servers.read')
  @Operation({ summary: 'All presets: settings that servers of known providers have without being told', answer: api.presetPage })
  async list() {
    const { items } = await this.bus.request(listPresets, {});
    return { items, nextCursor: null };
  }

  @Get(':name')
  @Needs('servers.read')
  @Operation({ summary: 'One preset', path, answer: shownPreset })
  async show(@Param('name') name: string) {
    const { items } = await this.bus.request(listPresets, {});
    const preset = items.find((each) => each.name === name);
    if (preset === undefined) throw new Refusal('not_found');
    return preset;
  }

  @Put(':name')
  @Needs('servers.manage')
  @Operation({ summary: 'Write a preset, over a built-in one by that name too', path, body: api.presetBody, answer: shownPreset, errors: putPreset.errors })
  put(@Param('name') name: string, @Body() body: z.output<typeof api.presetBody>, @Req() request: AdminRequest) {
    return this.bus.request(putPreset, { actor: actorOf(request), preset: { name, ...body } });
  }

  @Delete(':name')
  @Needs('servers.manage')
  @Operation({ summary: 'Forget what was written: a built-in preset is as it was shipped again', path, answer: NOTHING, errors: deletePreset.errors })
  async remove(@Param('name') name: string, @Req() request: AdminRequest): Promise<void> {
    await this.bus.request(deletePreset, { actor: actorOf(request), name });
  }
}
