/** Problems of the server as ranges in the cell. */

import type { Problem } from '../api/types';

export interface Range {
  from: number;
  to: number;
  severity: Problem['severity'];
  message: string;
}

/**
 * The server knows no types that cells define: one that is not Kestra's may be such a type, so it is not called wrong.
 * The kernel has the last word when the cell runs.
 */
export function asSeenInNotebook(problem: Problem): Problem {
  return /^there is no \w+ type `(?!io\.kestra\.)/.test(problem.message)
    ? {
        ...problem,
        severity: 'warning',
        hint: `${problem.hint}\nIf a cell defines it, run that cell first.`
      }
    : problem;
}

/** Positions are clamped to the text; a problem without length covers the rest of its word. */
export function toRanges(problems: readonly Problem[], source: string): Range[] {
  const starts = [0, ...[...source.matchAll(/\n/g)].map(match => match.index + 1)];
  return problems.map(problem => {
    const line = clamp(problem.line - 1, 0, starts.length - 1);
    const lineStart = starts[line] ?? 0;
    const lineEnd = (starts[line + 1] ?? source.length + 1) - 1;
    const signs = [...source.slice(lineStart, lineEnd)]; // Python counts these, JavaScript halves of some
    const before = signs.slice(0, Math.max(problem.column - 1, 0)).join('').length;
    let from = clamp(lineStart + before, lineStart, lineEnd);
    const word = /^[^\s:,\]}#]*/.exec(source.slice(from, lineEnd))?.[0].length ?? 0;
    const to = clamp(from + Math.max(problem.length || word, 1), from, lineEnd);
    if (to === from) {
      const first = source.slice(lineStart, lineEnd).search(/\S/);
      from = first < 0 ? lineStart : lineStart + first;
    }
    return { from, to: Math.max(to, from), severity: problem.severity, message: words(problem) };
  });
}

function words(problem: Problem): string {
  const path = problem.path && !problem.message.includes(problem.path) ? `${problem.path}: ` : '';
  return `${path}${problem.message}${problem.hint ? `\n${problem.hint}` : ''}`;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
