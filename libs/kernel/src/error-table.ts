/** One refusal or fault as every surface shows it. */
export interface ErrorRow {
  /** HTTP status of the admin API, and of the MCP endpoint unless `mcpStatus` says otherwise. */
  status: number;
  /** HTTP status on `/mcp/...`, where the protocol asks for another one. */
  mcpStatus?: number;
  /** JSON-RPC error code. Own codes are positive: -32768...-32000 is reserved (MCP error code policy). */
  rpcCode: number;
  /** Whether the same request may succeed later without any change. */
  retryable: boolean;
  /** What the caller is told: what happened and, where one can, what to do. */
  sentence: string;
}

const no = (status: number, rpcCode: number, sentence: string, mcpStatus?: number): ErrorRow => ({
  status,
  rpcCode,
  retryable: false,
  sentence,
  ...(mcpStatus === undefined ? {} : { mcpStatus }),
});

const later = (status: number, rpcCode: number, sentence: string): ErrorRow => ({ status, rpcCode, retryable: true, sentence });

/** Every error Gatehouse can answer with: the only place that gives a code its status and its words. */
export const ERRORS = {
  // What the client sent
  parse_error: no(400, -32700, 'The body is not valid JSON in UTF-8.'),
  ambiguous_json: no(400, -32600, 'The body has duplicate or look-alike member names; two parsers could read it differently.'),
  too_deep: no(400, -32600, 'The body is nested too deeply or has too many values.'),
  too_large: no(413, -32600, 'The body is larger than this endpoint accepts.'),
  bad_request: no(400, -32600, 'The request is not valid.'),
  bad_params: no(400, -32602, 'A parameter is missing or has the wrong type.', 200),
  batch_refused: no(400, -32600, 'Batches exist in protocol version 2025-03-26 only; send one message per request.'),
  unsupported_media_type: no(415, -32600, 'The content type must be application/json.'),
  not_acceptable: no(406, -32600, 'The client must accept both application/json and text/event-stream.'),
  method_not_allowed: no(405, -32600, 'This path does not answer that HTTP method.'),
  unsupported_protocol_version: no(400, -32022, 'This protocol version is not supported.'),
  method_denied: no(404, -32601, 'This method is unknown here, and what is unknown is denied.', 200),
  origin_denied: no(403, 1003, 'Requests from this origin or for this host name are not accepted.'),
  request_timeout: no(408, 1008, 'The request took too long to arrive.'),
  unknown_response: no(400, -32600, 'No request of the server is waiting for this response.'),
  // Who is calling
  unauthenticated: no(401, 1001, 'A valid access token is required.'),
  insufficient_scope: no(403, 1002, 'The access token lacks the scope that this needs.'),
  capability_missing: no(403, 1004, 'Your roles do not include the capability that this needs.'),
  // What it is about
  not_found: no(404, 1010, 'There is nothing here by that name.'),
  unknown_server: no(404, 1011, 'There is no server by that name.'),
  unknown_session: no(404, -32001, 'Session not found: initialize again without a session id.'),
  session_required: no(400, -32000, 'A session id is required: initialize first.'),
  conflict: no(409, 1012, 'It exists already, or it changed in the meantime.'),
  stream_exists: no(409, -32000, 'This session has an open stream already.'),
  precondition_failed: no(412, 1013, 'It changed since you read it: read it again and repeat.'),
  invalid_policy: no(422, 1020, 'The policy text is not valid.'),
  invalid_cursor: no(400, 1021, 'The cursor is not one that this list gave.'),
  url_refused: no(422, 1022, 'This address may not be reached from Gatehouse.'),
  header_refused: no(422, 1023, 'This header name may not be set.'),
  certificate_refused: no(422, 1024, 'This is no certificate that connections can be trusted by.'),
  // What was decided
  policy_denied: no(403, 1030, 'No policy permits this.', 200),
  policy_evaluation_failed: no(403, 1031, 'A policy could not be evaluated, so the answer is no.', 200),
  server_stopped: no(409, 1032, 'This server is stopped.', 200),
  rate_limited: later(429, 1040, 'Too many requests; try again later.'),
  too_many_streams: later(429, 1041, 'Too many open streams; close one and try again.'),
  // Whose credential
  credential_missing: no(424, 1050, 'This server needs a credential and none is stored for it.', 200),
  credential_unbound: no(424, 1051, 'The stored credential was made for another address; store it again.', 200),
  identity_missing: no(424, 1052, 'This server needs an account of yours: connect it, then try again.', 200),
  identity_dead: no(424, 1053, 'The account connected here is no longer accepted: connect it again, then try again.', 200),
  credential_expired: later(503, 1054, 'The stored credential has ended and is being renewed.'),
  // The other side
  upstream_unreachable: later(502, 1060, 'The server could not be reached.'),
  upstream_refused: no(502, 1061, 'The server refused the request.'),
  upstream_invalid: no(502, 1062, 'The server sent an answer that is not valid.'),
  upstream_too_large: no(502, 1063, 'The server sent more than the limit.'),
  response_blocked: no(502, 1065, 'The answer held something that must not leave Gatehouse and was withheld.'),
  upstream_timeout: later(504, 1064, 'The server did not answer in time.'),
  // Gatehouse itself
  policy_stale: later(503, 1070, 'The policies known here are older than allowed.'),
  directory_stale: later(503, 1071, 'Revocations have not been heard of for longer than allowed.'),
  vault_unavailable: later(503, 1072, 'The vault could not be reached for the credential.'),
  audit_unavailable: later(503, 1073, 'The call could not be recorded, so it was not made.'),
  service_unavailable: later(503, 1074, 'A part of Gatehouse that this needs is not running.'),
  service_timeout: later(504, 1075, 'A part of Gatehouse that this needs did not answer in time.'),
  overloaded: later(503, 1076, 'Too much is going on; try again shortly.'),
  draining: later(503, 1077, 'This instance is shutting down; try again.'),
  internal: later(500, -32603, 'Something went wrong inside Gatehouse; the id leads to the log line.'),
} as const satisfies Record<string, ErrorRow>;

/** A code of the table: the same word in HTTP problems, JSON-RPC errors, logs and records. */
export type ErrorCode = keyof typeof ERRORS;

/** The row of a code, widened so that optional columns can be read. */
export function errorRow(code: ErrorCode): ErrorRow {
  return ERRORS[code];
}
