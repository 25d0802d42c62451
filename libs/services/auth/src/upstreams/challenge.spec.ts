import { describe, expect, it } from '@jest/globals';
import { readChallenge } from './challenge.js';

const TRUE = 'https://mcp.example/.well-known/oauth-protected-resource';
const EVIL = 'https://evil.example/';

describe('a challenge', () => {
  it.each([
    ['as the specification shows it', `Bearer resource_metadata="${TRUE}", scope="a b"`, TRUE],
    ['behind Basic', `Basic realm="x", Bearer resource_metadata="${TRUE}"`, TRUE],
    ['before Basic', `Bearer resource_metadata="${TRUE}", Basic realm="x"`, TRUE],
    ['with two spaces', `Bearer  resource_metadata="${TRUE}"`, TRUE],
    ['in small letters', `bearer resource_metadata="${TRUE}"`, TRUE],
    ['of DPoP', `DPoP algs="ES256", resource_metadata="${TRUE}"`, TRUE],
    ['without quotes', 'Bearer resource_metadata=abc', 'abc'],
    ['in the second of two Bearer challenges', `Bearer realm="x", Bearer resource_metadata="${TRUE}"`, TRUE],
    ['with quoted quotes before', `Bearer error_description="say \\"no\\"", resource_metadata="${TRUE}"`, TRUE],
    ['beside a longer name', `Bearer xresource_metadata="${EVIL}", resource_metadata="${TRUE}"`, TRUE],
    ['a longer name alone', `Bearer xresource_metadata="${EVIL}"`, undefined],
    ['inside a description', `Bearer error_description="resource_metadata=${EVIL}", resource_metadata="${TRUE}"`, TRUE],
    ['inside a description with quotes', `Bearer error_description="x, resource_metadata=\\"${EVIL}\\"", resource_metadata="${TRUE}"`, TRUE],
    ['inside a description alone', `Bearer error_description="resource_metadata=\\"${EVIL}\\""`, undefined],
    ['of another scheme', `Digest resource_metadata="${EVIL}"`, undefined],
    ['in the realm', `Bearer realm="Bearer resource_metadata=${EVIL}"`, undefined],
    ['nothing but the scheme', 'Bearer', undefined],
    ['nothing', null, undefined],
    ['cut in the middle', `Bearer resource_metadata="${TRUE}`, undefined],
    ['with characters that no header has', `Bearer resource_metadata="${TRUE}"\u0000`, undefined],
    ['an empty text', '', undefined],
  ])('%s', async (_name, header, expected) => {
    expect((await readChallenge(header)).resourceMetadata).toBe(expected);
  });

  it('tells scopes, each once and well formed, and the error', async () => {
    const { scopes, error } = await readChallenge('Bearer error="insufficient_scope", scope="files:read  files:write files:read b\\"ad"');
    expect([scopes, error]).toEqual([['files:read', 'files:write'], 'insufficient_scope']);
  });
});
