import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
  type ReadResourceResult,
  type Resource,
} from '@modelcontextprotocol/sdk/types.js';
import { PNG_BASE64 } from './content-tools.js';
import type { Stage } from './stage.js';

const RESOURCE_NOT_FOUND = -32002;

const RESOURCES: readonly Resource[] = [
  { uri: 'test://static-text', name: 'static-text', description: 'A text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', description: 'An image', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched-resource', description: 'Changes when told to', mimeType: 'text/plain' },
];

const TEMPLATE = { uriTemplate: 'test://template/{id}/data', name: 'template', description: 'One per id', mimeType: 'application/json' };

/** Gives the server the suite's resources, its template, and subscriptions. */
export function serveResources(server: Server, stage: Stage): void {
  server.setRequestHandler(ListResourcesRequestSchema, async () => ({ resources: [...RESOURCES] }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, async () => ({ resourceTemplates: [TEMPLATE] }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params }) => read(params.uri));
  server.setRequestHandler(SubscribeRequestSchema, async ({ params }) => {
    stage.subscriptions.push(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, async ({ params }) => {
    const place = stage.subscriptions.indexOf(params.uri);
    if (place >= 0) stage.subscriptions.splice(place, 1);
    return {};
  });
}

function read(uri: string): ReadResourceResult {
  if (uri === 'test://static-text') return text(uri, 'text/plain', 'This is the content of the static text resource.');
  if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: PNG_BASE64 }] };
  if (uri === 'test://watched-resource') return text(uri, 'text/plain', 'Watched resource content');
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined) throw new McpError(RESOURCE_NOT_FOUND, 'Resource not found', { uri });
  return text(uri, 'application/json', JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }));
}

function text(uri: string, mimeType: string, content: string): ReadResourceResult {
  return { contents: [{ uri, mimeType, text: content }] };
}
