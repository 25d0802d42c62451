export { ANSWER_LIMITS, REQUEST_LIMITS, scanJson, type ScanLimits } from './scan-json.js';
export {
  isRequestId,
  MAX_BATCH,
  parseBody,
  parseServerMessage,
  readId,
  type McpMessage,
  type McpNotification,
  type McpRequest,
  type McpResponse,
  type RequestId,
} from './parse-message.js';
