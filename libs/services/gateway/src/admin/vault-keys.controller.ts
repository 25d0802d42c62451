import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { api, vaultContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { Needs } from './needs.js';
import { Operation } from './operation.js';

const { rotateKeys, rotationProgress } = vaultContracts;

/** `/api/v1/vault-keys`: the vault's own keys, their age, and how far a move to new ones is. */
@Controller('api/v1/vault-keys')
@Needs('vault.rotate')
export class VaultKeysController {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  @Get()
  @Operation({ summary: "The vault's keys, their age, and how far the moves to new ones are", answer: api.vaultKeys, errors: rotationProgress.errors })
  show() {
    return this.bus.request(rotationProgress, {});
  }

  @Post('rotate')
  @Operation({ summary: 'Make a new active key; what the old one sealed is moved in the background', body: api.vaultRotationBody, answer: api.rotatedVaultKeys, errors: rotateKeys.errors })
  rotate(@Body() asked: z.output<typeof api.vaultRotationBody>) {
    return this.bus.request(rotateKeys, asked);
  }
}
