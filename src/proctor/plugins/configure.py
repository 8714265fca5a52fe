"""``proctor.configure(c)``: every part of proctor in its place in nbgrader's pipeline, in one line of a config.

nbgrader runs ``nbgrader_config.py`` at the start of each of its commands, formgrader's server included. What a course
has set before this line stays, where it does not say the same thing.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import (
    ClearOutput,
    DeduplicateIds,
    GetGrades,
    IgnorePattern,
    LimitOutput,
    OverwriteKernelspec,
)

from proctor.autograde.defuse import DefuseMarkdown, RemovePages
from proctor.autograde.execute import ProctoredExecute, SaveVerdicts
from proctor.autograde.metadata import CheckMetadata
from proctor.autograde.restore import RestoreLockedCells, SubmissionExporter
from proctor.dates import table
from proctor.errors import CourseError
from proctor.plugins.formgrader import EscapeNames, ShowResults, escape_pages, template_paths
from proctor.plugins.late import LatePenalties
from proctor.plugins.look_first import look_first
from proctor.records import database
from proctor.render.highlight import BoundedHighlight, coloured


def configure(config: Any) -> None:
    """Have nbgrader grade with proctor. `config` is ``c``, or ``get_config()``, in ``nbgrader_config.py``."""
    # nbgrader with SQLAlchemy 2 says this for every submission; nothing is wrong.
    warnings.filterwarnings("ignore", message=r"(?s).*not in session, add operation along")
    _use_database(config)
    config.OverwriteCells.add_missing_cells = True
    config.Autograde.exporter_class = SubmissionExporter
    # What happens to a submission, in order.
    config.Autograde.sanitize_preprocessors = [
        RemovePages,
        ClearOutput,
        DeduplicateIds,
        OverwriteKernelspec,
        RestoreLockedCells,
        CheckMetadata,
    ]
    config.Autograde.autograde_preprocessors = [
        ProctoredExecute,
        IgnorePattern,
        LimitOutput,
        SaveVerdicts,
        LatePenalties,
        DefuseMarkdown,
    ]
    _make_pages(config)
    _read_lists_of_spreadsheets()
    _take_what_comes(config)


def _take_what_comes(config: Any) -> None:
    """What is handed in has names, places and archives that students chose."""
    config.ZipCollectApp.setdefault("extractor_plugin", "proctor.PlatformExtractor")
    config.ZipCollectApp.setdefault("collector_plugin", "proctor.PlatformCollector")
    look_first()
    config.Autograde.setdefault("pre_convert_hook", "proctor.misplaced.hook.put_right")
    config.ExchangeFactory.setdefault("release_feedback", "proctor.plugins.release_feedback.ReleaseFeedback")


def _make_pages(config: Any) -> None:
    """Pages that stand on their own, for students and in formgrader, and in which no name is markup."""
    config.GenerateFeedback.exporter_class = "proctor.FeedbackExporter"
    # A penalty fits the points that it is taken off of, also where a person has changed them since.
    config.GenerateFeedback.preprocessors = [LatePenalties, GetGrades, CSSHTMLHeaderPreprocessor]
    config.HTMLExporter.template_paths = template_paths()
    config.HTMLExporter.preprocessors.append(EscapeNames)
    config.HTMLExporter.preprocessors.append(ShowResults)
    config.HTMLExporter.filters.update({"highlight_code": BoundedHighlight, "ansi2html": coloured})
    escape_pages()


def _use_database(config: Any) -> None:
    """PROCTOR_DB_URL can name a server's database instead of the course's own; docs/scale.md says how."""
    url = database.configure(str(config.CourseDirectory.get("db_url", "")))
    if url:
        config.CourseDirectory.db_url = url


def _read_lists_of_spreadsheets() -> None:
    """Have ``nbgrader db student import`` read what a spreadsheet saves: there is no setting for it."""
    from nbgrader.apps.dbapp import DbStudentImportApp

    stock = DbStudentImportApp.start
    if stock.__module__ == __name__:  # the config is read several times in a process
        return

    def start(self: Any) -> None:
        paths = [Path(name) for name in self.extra_args]
        if len(paths) != 1 or not paths[0].is_file():
            stock(self)  # which says what is wrong
            return
        try:
            text = table.with_commas(paths[0])
        except CourseError as error:
            self.fail(str(error))
        self.log.info("Reading the list '%s'", paths[0])
        with tempfile.TemporaryDirectory(prefix="proctor-list-") as folder:
            plain = Path(folder, paths[0].name)
            plain.write_text(text, encoding="utf-8", newline="")
            self.extra_args = [str(plain)]
            stock(self)

    DbStudentImportApp.start = start
