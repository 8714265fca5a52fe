"""A course on disk and what is recorded of it: the one reader of each fact.

Folders and settings, hand-ins and why one is refused, nbgrader's gradebook and its database, what was graded when.
Asked by everything that works on a course: commands, grading, plug-ins, collecting, the report.
"""
