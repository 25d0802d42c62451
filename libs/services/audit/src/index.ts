export { auditConfigFields } from './audit-config.js';
export { startAuditService, type AuditOptions, type RunningService } from './start-audit-service.js';
