"""Task types that convert Markdown."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.serdes.conversion import checked_charset
from nbflow.tasks.stopping import in_thread
from nbflow.tasks.storage.scratch import stored

_BREAKS = {"paragraph_close", "heading_close", "list_item_close", "blockquote_close"}


class MarkdownTask(RunnableTask):
    """A conversion of a Markdown text."""

    class Output(RunnableTask.Output):
        uri: Text = Field(description="URI of the new file.")

    suffix: ClassVar[str] = ""

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file.")
    charset: Dynamic[Text] = Field(default="UTF-8", description="How both texts are encoded.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uri=await in_thread(lambda _: self._convert(ctx)))

    def _convert(self, ctx: RunContext) -> str:
        charset = checked_charset(self.charset)
        try:
            text = self.converted(_read(stored(ctx, self.from_, "from"), charset), _parser())
            content = text.encode(charset.replace("utf-8-sig", "utf-8"))
        except UnicodeError as cause:
            raise TaskFailedError(f"the text is not one in {self.charset}: {cause}") from cause
        return ctx.store_bytes(content, f"text{self.suffix}")

    @abstractmethod
    def converted(self, text: str, parser: Any) -> str:  # Any: markdown-it is imported as it is used
        """The text in its new form."""


@task_type(
    "io.kestra.plugin.serdes.markdown.MarkdownToHtml",
    aliases=["markdown_to_html"],
    examples=[
        Example(
            """
            - {id: note, type: write_file, content: "# Orders\\n\\nThere are **three**.\\n", extension: .md}
            - id: page
              type: io.kestra.plugin.serdes.markdown.MarkdownToHtml
              from: "{{ outputs.note.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.page.uri) }}"
            """,
            title="HTML from Markdown.",
        )
    ],
)
class MarkdownToHtml(MarkdownTask):
    """Convert Markdown into HTML. HTML in it is kept as it is: do not show it where its author is not trusted."""

    class Output(MarkdownTask.Output):
        pass

    suffix = ".html"

    def converted(self, text: str, parser: Any) -> str:
        return str(parser.render(text))


@task_type(
    "io.kestra.plugin.serdes.markdown.MarkdownToText",
    aliases=["markdown_to_text"],
    examples=[
        Example(
            """
            - {id: note, type: write_file, content: "# Orders\\n\\nThere are **three**.\\n", extension: .md}
            - id: text
              type: io.kestra.plugin.serdes.markdown.MarkdownToText
              from: "{{ outputs.note.uri }}"
            - id: show
              type: log
              message: "{{ read(outputs.text.uri) }}"
            """,
            title="Plain text from Markdown.",
        )
    ],
)
class MarkdownToText(MarkdownTask):
    """Convert Markdown into plain text."""

    class Output(MarkdownTask.Output):
        pass

    suffix = ".txt"

    def converted(self, text: str, parser: Any) -> str:
        pieces: list[str] = []
        for token in parser.parse(text):
            if token.type == "inline":
                pieces.extend(_inline(token.children or []))
            elif token.type in ("fence", "code_block"):
                pieces.append(token.content)
            elif token.type in _BREAKS and pieces and not pieces[-1].endswith("\n"):
                pieces.append("\n")
        return "".join(pieces)


def _inline(tokens: list[Any]) -> list[str]:
    return [
        "\n" if token.type in ("softbreak", "hardbreak") else token.content
        for token in tokens
        if token.type in ("text", "code_inline", "softbreak", "hardbreak", "image")
    ]


def _read(path: Path, charset: str) -> str:
    return path.read_text(encoding=charset)


def _parser() -> Any:
    try:
        from markdown_it import MarkdownIt
    except ImportError as missing:
        raise MissingExtraError(
            "Markdown needs the package `markdown-it-py`", hint="pip install 'jupyter-nbflow[markdown]'"
        ) from missing
    return MarkdownIt("commonmark")
