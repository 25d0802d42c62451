export { compilePolicies, CompiledPolicies, type PolicySource } from './compiled-policies.js';
export { parsePolicyDocument } from './parse-policy-document.js';
export { type Decision, type Question } from './question.js';
export { type PolicyDocument } from './read-documents.js';
export { POLICY_SCHEMA } from './schema.js';
