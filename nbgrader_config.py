"""The course's settings. Everything else is nbgrader's own; see docs/reference.md for what can be set."""

import os
import warnings

from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    OverwriteKernelspec,
)

from proctor.course import database
from proctor.plugins.defuse import DefuseMarkdown
from proctor.plugins.execute import ProctoredExecute, SaveVerdicts
from proctor.plugins.formgrader import template_paths
from proctor.plugins.restore import RestoreLockedCells

# nbgrader with SQLAlchemy 2 says this for every submission; nothing is wrong.
warnings.filterwarnings("ignore", message=r"(?s).*not in session, add operation along")

c = get_config()  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "custom-training"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - runs in any nbgrader
# PROCTOR_DB_URL can name a server's database instead; docs/scale.md says how.
c.CourseDirectory.db_url = database.configure(f"sqlite:///{c.CourseDirectory.root}/gradebook.db")

# A page that a student hands in beside the notebook would be served by formgrader as if it were its own. These are not
# even copied; DefuseMarkdown removes whatever else is no plain data when the notebook has been graded.
c.CourseDirectory.ignore = [
    *(".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"),
    *("*.html", "*.htm", "*.svg", "*.xhtml", "*.xml"),
]

c.IncludeHeaderFooter.header = ""
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE"}

# What happens to a submission, in order. Ours are those that are imported from proctor.
c.Autograde.sanitize_preprocessors = [
    ClearOutput,
    DeduplicateIds,
    OverwriteKernelspec,
    RestoreLockedCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    ProctoredExecute,
    IgnorePattern,
    LimitOutput,
    SaveVerdicts,
    AssignLatePenalties,
    DefuseMarkdown,
]
c.OverwriteCells.add_missing_cells = True

# Pages that stand on their own: for students, and in formgrader, which would fetch MathJax from the network.
c.GenerateFeedback.exporter_class = "proctor.plugins.feedback.FeedbackExporter"
c.HTMLExporter.template_paths = template_paths()

c.ProctoredExecute.preload = ["tensorflow", "numpy", "matplotlib.pyplot"]
# One notebook uses one core; the others are for the other notebooks.
c.ProctoredExecute.environment = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
# The sample class is ours: it is graded, with a warning, even where this machine cannot sandbox it.
c.ProctoredExecute.known_submissions = "tools/sample_class.sha256"
c.ProctoredExecute.seed = 20261121  # change it every term: it decides the hidden tests' inputs
