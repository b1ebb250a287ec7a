"""Code shared by the commands that change an index: session, report and ``--push``."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.progress.transfer_lines import COPY_WORDS, LineObserver, show_transfers
from ghcrctl.cli.report_created import report_created
from ghcrctl.operations.making.indexes import parse_index_target, parse_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ghcrctl.cli.app import App
    from ghcrctl.cli.results import Results
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.indexes import IndexTarget, NewImage
    from ghcrctl.transfer.events import Observer

    Function = TypeVar("Function", bound=Callable[..., Any])


def push_option(function: Function) -> Function:
    """Add ``--push``."""
    return click.option("--push", is_flag=True, help="Push the manifest list immediately.")(
        function
    )


@dataclass(frozen=True, slots=True)
class IndexChange:
    """A change of an index in the local store, at a registry, or in a local manifest list."""

    session: Session
    results: Results
    end: IndexTarget
    observer: Observer
    local: bool
    quiet: bool

    def sources(self, texts: Sequence[str]) -> list[IndexTarget]:
        """Return the source of each image name."""
        return [parse_source(self.session, text, local=self.local) for text in texts]

    def report(self, created: NewImage, *, push: bool, word: str = "Changed") -> None:
        """Report an index that was stored or pushed, or a manifest list stored for later."""
        if push or self.end.local:
            report_created(self.results, self.session, created, quiet=self.quiet)
            return
        self.results.add_created(str(created.reference), created.descriptor, Previous=None)
        line = f"{word} manifest list {created.reference}"
        self.results.out(str(created.digest) if self.quiet else line)
        self.results.end(single=True)


@contextmanager
def changing(
    app: App, results: Results, target: str, *, local: bool, quiet: bool
) -> Iterator[IndexChange]:
    """Open a session for one change and show the progress of its transfers."""
    with app.session() as session, show_transfers(app.display, quiet=quiet) as watch:
        end = parse_index_target(session, target, local=local)
        lines = LineObserver(results.out, app.warn, COPY_WORDS, "", quiet=quiet)
        observer = watch(lines, str(end.reference))
        yield IndexChange(session, results, end, observer, local, quiet)
