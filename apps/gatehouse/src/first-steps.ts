/** What the first lines in the terminal tell. */
interface Facts {
  publicUrl: string;
  /** Signs the administrator in, once; absent where people sign in at an identity provider. */
  signInUrl: string | undefined;
  seconds: number;
  adminTokenFile: string;
  demo: boolean;
}

/** The lines a newcomer reads: where it is, how to sign in, what to try. */
export function firstSteps({ publicUrl, signInUrl, seconds, adminTokenFile, demo }: Facts): string {
  const name = demo ? 'demo' : '<server>';
  const next = demo
    ? `npx gatehouse call demo echo '{"text":"hi"}'`
    : `npx gatehouse server add https://mcp.example.com/mcp --name example`;
  return [
    '',
    `  Gatehouse is ready after ${seconds.toFixed(1)} s.`,
    '',
    `  Admin API   ${publicUrl}/api/v1`,
    `  MCP URL     ${publicUrl}/mcp/${name}`,
    ...(signInUrl === undefined ? [] : [`  Sign in     ${signInUrl} (once, within 15 minutes)`]),
    `  Token       ${adminTokenFile} (send it as Authorization: Bearer …)`,
    `  Try next    ${next}`,
    '',
    '  Policy signed-in-people-may-call lets everybody with a token call everything: npx gatehouse policy list',
    '  Ctrl-C stops it.',
    '',
    '',
  ].join('\n');
}
