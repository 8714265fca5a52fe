"""``proctor.configure(c)``: every part of proctor in its place in nbgrader's pipeline, in one line of a config.

nbgrader runs ``nbgrader_config.py`` at the start of each of its commands, formgrader's server included. What a course
has set before this line stays, where it does not say the same thing.
"""

import warnings
from typing import Any

from nbgrader.preprocessors import (
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    OverwriteKernelspec,
)

from proctor.course import database
from proctor.plugins.defuse import DefuseMarkdown, RemovePages
from proctor.plugins.execute import ProctoredExecute, SaveVerdicts
from proctor.plugins.formgrader import EscapeNames, escape_pages, template_paths
from proctor.plugins.late import LatePenalties
from proctor.plugins.metadata import CheckMetadata
from proctor.plugins.restore import RestoreLockedCells, SubmissionExporter
from proctor.render.highlight import BoundedHighlight


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
    # Pages that stand on their own, for students and in formgrader, and in which no name is markup.
    config.GenerateFeedback.exporter_class = "proctor.FeedbackExporter"
    config.HTMLExporter.template_paths = template_paths()
    config.HTMLExporter.preprocessors.append(EscapeNames)
    config.HTMLExporter.filters.update({"highlight_code": BoundedHighlight})
    escape_pages()
    # What is downloaded from a learning platform holds names and archives that students chose.
    config.ZipCollectApp.setdefault("extractor_plugin", "proctor.PlatformExtractor")
    config.ZipCollectApp.setdefault("collector_plugin", "proctor.PlatformCollector")


def _use_database(config: Any) -> None:
    """PROCTOR_DB_URL can name a server's database instead of the course's own; docs/scale.md says how."""
    url = database.configure(str(config.CourseDirectory.get("db_url", "")))
    if url:
        config.CourseDirectory.db_url = url
