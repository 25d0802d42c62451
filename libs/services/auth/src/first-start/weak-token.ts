const SHORTEST = 32;
const FEWEST_DIFFERENT = 10;
const STAND_IN = /change.?me|replace.?(me|this|with)|placeholder|example|your.?(admin)?.?token|password|insert.?here|xxxx|test.?token|admin.?token/i;

/** Why a token that someone chose must not become the administrator's, or undefined. */
export function weakTokenReason(text: string): string | undefined {
  if (text.length < SHORTEST) return `it is shorter than ${SHORTEST} characters`;
  if (STAND_IN.test(text)) return 'it is a placeholder';
  if (new Set(text).size < FEWEST_DIFFERENT || isRepeated(text) || isCounting(text)) return 'it is not random';
  return undefined;
}

/** The same piece again and again, the last one perhaps cut off: `abc123abc123ab`. */
function isRepeated(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period++) {
    if (text.slice(period) === text.slice(0, -period)) return true;
  }
  return false;
}

/** Neighbours in the character set nearly everywhere: `abcdefgh...`, `01234567...`. */
function isCounting(text: string): boolean {
  const steps = [...text].slice(1).filter((char, at) => Math.abs(char.charCodeAt(0) - text.charCodeAt(at)) === 1);
  return steps.length > text.length / 2;
}
