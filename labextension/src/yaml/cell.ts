/** Which cells hold a flow, and the YAML in them. */

const MAGIC = /^\s*%%flow(?=\s|$)[^\n]*/;

export function isFlowCell(source: string): boolean {
  return MAGIC.test(source);
}

/** The cell's YAML with every offset kept: the magic line turns into blanks. */
export function flowText(source: string): string {
  return source.replace(MAGIC, line => line.replace(/[^\n]/g, ' '));
}

/** What is sent for validation: as `flowText`, blanks dropped, so that line numbers are the cell's. */
export function flowBody(source: string): string {
  return source.replace(MAGIC, line => line.replace(/[^\n]/g, ''));
}
