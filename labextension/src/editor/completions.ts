/** Offers `yaml/complete.ts` to JupyterLab's completer, in `%%flow` cells. */

import type {
  CompletionHandler,
  ICompletionContext,
  ICompletionProvider
} from '@jupyterlab/completer';
import { Text } from '@jupyterlab/coreutils';

import { flowText, isFlowCell } from '../yaml/cell';
import { complete, type Knowledge, matching } from '../yaml/complete';

export class FlowCompletions implements ICompletionProvider {
  readonly identifier = 'nbflow:flow';
  readonly rank = 1100; // before the kernel's, which knows nothing of YAML

  constructor(private readonly _knowledge: () => Promise<Knowledge>) {}

  async isApplicable(context: ICompletionContext): Promise<boolean> {
    return isFlowCell(context.editor?.model.sharedModel.getSource() ?? '');
  }

  async fetch(
    request: CompletionHandler.IRequest
  ): Promise<CompletionHandler.ICompletionItemsReply> {
    // The completer counts in Unicode characters, everything here in JavaScript's halves of them.
    const offset = Text.charIndexToJsIndex(request.offset, request.text);
    const yaml = flowText(request.text);
    const isOnMagicLine = request.text.slice(0, offset).trimStart().indexOf('\n') < 0;
    const found = isOnMagicLine ? undefined : complete(yaml, offset, await this._knowledge());
    const [start, end] = [found?.start ?? offset, found?.end ?? offset];
    return {
      start: Text.jsIndexToCharIndex(start, request.text),
      end: Text.jsIndexToCharIndex(end, request.text),
      items: matching(found?.items ?? [], yaml.slice(start, offset)).map(item => ({
        label: item.label,
        insertText: item.insert,
        type: item.kind,
        documentation: item.documentation || undefined
      }))
    };
  }
}
