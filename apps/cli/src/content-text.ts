import type { CallToolResult } from '@modelcontextprotocol/client';
import { plainText } from './output/plain-text.js';

type Content = CallToolResult['content'][number];

const BASE64_BYTES = 3 / 4;

/** A tool's result as a person reads it: text as it is, the rest named; safe on a terminal. */
export function contentText(result: CallToolResult): string {
  const parts = result.content.map(partText);
  // Structured content repeats the text by convention (MCP 2025-06-18, tools); it counts when it stands alone.
  if (parts.length === 0 && result.structuredContent !== undefined) parts.push(JSON.stringify(result.structuredContent, null, 2));
  return plainText(parts.join('\n'));
}

function partText(part: Content): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'image':
    case 'audio':
      return `[${part.type} ${part.mimeType}, ${Math.floor(part.data.length * BASE64_BYTES)} bytes; -o json shows it]`;
    case 'resource_link':
      return `[link ${part.uri} ${part.name}]`;
    case 'resource':
      return 'text' in part.resource ? `[${part.resource.uri}]\n${part.resource.text}` : `[${part.resource.uri}, binary; -o json shows it]`;
  }
}
