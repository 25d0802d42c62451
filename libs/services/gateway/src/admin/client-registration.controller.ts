import { Body, Controller, Get, Inject, Put, Req } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { clientContracts } from '@gatehouse/contracts';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { Needs } from './needs.js';
import { Operation } from './operation.js';

const { getRegistrationSettings, putRegistrationSettings, registrationSettings } = clientContracts;

/** `/api/v1/client-registration`: how clients may come by themselves. */
@Controller('api/v1/client-registration')
@Needs('clients.manage')
export class ClientRegistrationController {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  @Get()
  @Operation({ summary: 'The settings and rules in force', answer: registrationSettings })
  show() {
    return this.bus.request(getRegistrationSettings, {});
  }

  @Put()
  @Operation({ summary: 'Replace the settings and rules', body: registrationSettings, answer: registrationSettings, errors: putRegistrationSettings.errors })
  put(@Body() settings: clientContracts.RegistrationSettings, @Req() request: AdminRequest) {
    return this.bus.request(putRegistrationSettings, { actor: actorOf(request), settings });
  }
}
