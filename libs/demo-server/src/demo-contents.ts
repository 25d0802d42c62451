import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

const CLOCK = 'demo://clock';
const TICK_MS = 1_000;
const TEXT = { mimeType: 'text/plain' };
const NOTES: Readonly<Record<string, string>> = { garden: 'Water the tomatoes.', groceries: 'Bread, olives, tea.', goals: 'Ship it.' };
const LANGUAGES = ['english', 'estonian', 'french', 'german'];

const notesLike = (start: string): string[] => Object.keys(NOTES).filter((name) => name.startsWith(start));

/** Gives the server a text, notes by name, a prompt with completion, and a clock that can be subscribed to. */
export function addDemoContents(server: McpServer): void {
  const welcome = 'Everything here exists to be called through a gateway.';
  server.registerResource('welcome', 'demo://welcome', TEXT, ({ href: uri }) => ({ contents: [{ uri, text: welcome, ...TEXT }] }));
  const notes = new ResourceTemplate('demo://notes/{name}', {
    list: () => ({ resources: Object.keys(NOTES).map((name) => ({ uri: `demo://notes/${name}`, name })) }),
    complete: { name: notesLike },
  });
  server.registerResource('notes', notes, TEXT, ({ href: uri }, { name }) => {
    const text = NOTES[String(name)];
    return { contents: text === undefined ? [] : [{ uri, text, ...TEXT }] };
  });
  const language = completable(z.string(), (start) => LANGUAGES.filter((known) => known.startsWith(start)));
  server.registerPrompt('greet', { description: 'Asks for a greeting', argsSchema: { name: z.string(), language } }, (args) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${args.name} in ${args.language}.` } }],
  }));
  addClock(server);
}

function addClock(server: McpServer): void {
  server.registerResource('clock', CLOCK, TEXT, () => ({ contents: [{ uri: CLOCK, text: new Date().toISOString(), ...TEXT }] }));
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearInterval(timer);
  server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    stop();
    // A client that is gone hears nothing; its session expires by itself.
    const tick = (): void => void server.server.sendResourceUpdated({ uri: CLOCK }).catch(stop);
    if (params.uri === CLOCK) timer = setInterval(tick, TICK_MS).unref();
    return {};
  });
  server.server.setRequestHandler(UnsubscribeRequestSchema, () => {
    stop();
    return {};
  });
  server.server.onclose = stop;
}
