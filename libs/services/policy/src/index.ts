export { policyConfigFields, type PolicyConfig } from './policy-config.js';
export { startPolicyService, type PolicyOptions, type RunningService } from './start-policy-service.js';
