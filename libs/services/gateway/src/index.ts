export { adminApiDocument } from './admin/openapi/admin-api-document.js';
export { authUrlField, gatewayConfigFields, gatewaySettings, type GatewaySettings } from './gateway-config.js';
export { startGateway, type GatewayOptions, type RunningGateway } from './start-gateway.js';
