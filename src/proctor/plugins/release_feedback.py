"""``nbgrader release_feedback`` in a class of which some have handed in another way than through the exchange.

nbgrader finds a student's page on the exchange by what the exchange has put beside the submission, and stops with a
traceback at the first submission that has nothing there. Those after it, who did submit through it, would get nothing.
"""

import glob
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

from proctor.render import words

OF_THE_EXCHANGE = ("timestamp.txt", "submission_secret.txt")


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]
    """Leaves out those who have not submitted through the exchange, and names them."""

    def copy_files(self) -> None:
        """Release the others' pages; nbgrader calls this when both ends are known."""
        pages = glob.glob(f"{self.src_path}/*.html")  # noqa: PTH207 - the path has nbgrader's star for a student in it
        folders = {Path(page).parent for page in pages}
        others = sorted(
            folder.parent.name for folder in folders if not all((folder / name).is_file() for name in OF_THE_EXCHANGE)
        )
        if others:
            names = words.plain(", ".join(others))
            self.log.warning("Not submitted through the exchange, so give them their pages another way: %s", names)
        excluded = [*filter(None, self.coursedir.student_id_exclude.split(",")), *others]
        self.coursedir.student_id_exclude = ",".join(excluded)
        super().copy_files()
