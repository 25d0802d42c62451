import 'reflect-metadata';
import type { JsonObject } from '@gatehouse/kernel';
import { ADMIN_CONTROLLERS } from '../admin-controllers.js';
import { openapiDocument } from './openapi-document.js';

/** The OpenAPI document of the admin API as every edge of this version serves it. */
export function adminApiDocument(): JsonObject {
  return openapiDocument(ADMIN_CONTROLLERS);
}
