import { adminApiDocument } from '@gatehouse/service-gateway';

/** The admin API as an edge tells it at `/api/openapi.json`. */
export function openapiPage() {
  return JSON.stringify(adminApiDocument(), null, 2);
}
