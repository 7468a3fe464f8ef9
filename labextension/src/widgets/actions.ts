/** What a view may ask for; the plugins turn it into commands. */

export interface Actions {
  openFlow(namespace: string, id: string): void;
  openExecution(id: string): void;
  openNotebook(execution: string, uri: string): void;
  copy(text: string): void;
  runFlow(namespace: string, id: string): void;
  refresh(): void;
}
