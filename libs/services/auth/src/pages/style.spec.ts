import { describe, expect, it } from '@jest/globals';
import { STYLE } from './style.js';

type Colours = Record<string, string>;

const [light, dark] = [...STYLE.matchAll(/:root \{([^}]*)\}/g)].map(([, block]): Colours => Object.fromEntries([...block!.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name!, value!])));

// WCAG 2.2, relative luminance and contrast ratio.
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high! + 0.05) / (low! + 0.05);
}

describe.each([
  ['light', light!],
  ['dark', dark!],
])('the %s colours', (_name, colours) => {
  it.each([
    ['ink', 'paper'],
    ['faint', 'paper'],
    ['accent', 'paper'],
    ['ink', 'warn-paper'],
  ])('%s on %s is readable: 4.5:1', (text, ground) => {
    expect(contrast(colours[text]!, colours[ground]!)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['border', 'warn', 'accent'])('%s is seen: 3:1', (edge) => {
    expect(contrast(colours[edge]!, colours['paper']!)).toBeGreaterThanOrEqual(3);
  });
});

describe('the style sheet', () => {
  it('loads nothing and gives buttons a height that fingers hit', () => {
    expect(STYLE).not.toMatch(/url\(|@import|<\//);
    expect(STYLE).toMatch(/button[^{]*\{[^}]*min-height: 2\.75rem/);
  });
});
