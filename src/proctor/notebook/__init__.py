"""One notebook from top to bottom, and the student's process as the grader sees it.

Called by the plug-in that stands in nbgrader's autograde pipeline (`proctor.autograde.execute`).
"""
