/** The client that the conformance suite starts: hands the server's address to the Gatehouse under test and waits. */
const url = process.argv.at(-1);
const { MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_CONTEXT: context = '{}', CONFORMANCE_DESK: desk } = process.env;
const answer = await fetch(desk, { method: 'POST', body: JSON.stringify({ url, scenario, context: JSON.parse(context) }) });
process.stdout.write(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
