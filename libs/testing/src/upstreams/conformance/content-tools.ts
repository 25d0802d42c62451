import { plainTool, textResult, type ScriptedTool } from './scripted-tool.js';

/** A 1x1 PNG. */
export const PNG_BASE64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNQSFgAAAHEASFiX4r9AAAAAElFTkSuQmCC';
/** Two samples of silence. */
const WAV_BASE64 = 'UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQQAAAAAAAAA';

const image = { type: 'image', data: PNG_BASE64, mimeType: 'image/png' } as const;

/** Tools of the conformance suite that answer with one kind of content each. */
export const CONTENT_TOOLS: readonly ScriptedTool[] = [
  plainTool('test_simple_text', 'Answers with one text', async () => textResult('This is a simple text response for testing.')),
  plainTool('test_image_content', 'Answers with an image', async () => ({ content: [image] })),
  plainTool('test_audio_content', 'Answers with a sound', async () => ({
    content: [{ type: 'audio', data: WAV_BASE64, mimeType: 'audio/wav' }],
  })),
  plainTool('test_embedded_resource', 'Answers with a resource inside', async () => ({
    content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  })),
  plainTool('test_multiple_content_types', 'Answers with a text, an image and a resource', async () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  })),
  plainTool('test_error_handling', 'Always fails', async () => ({
    ...textResult('This tool intentionally returns an error for testing'),
    isError: true,
  })),
  {
    definition: {
      name: 'json_schema_2020_12_tool',
      description: 'Has a schema whose keywords must survive (SEP-1613)',
      inputSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        $defs: { address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
        properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
        additionalProperties: false,
      },
    },
    run: async ({ args }) => textResult(JSON.stringify(args)),
  },
];

function embedded(uri: string, mimeType: string, text: string) {
  return { type: 'resource' as const, resource: { uri, mimeType, text } };
}
