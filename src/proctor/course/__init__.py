"""A course on disk: the one reader of each fact.

Folders and settings, hand-ins and why one is refused, the lock of a run, what others may say on its terminal. Asked by
everything that works on a course: commands, grading, plug-ins, collecting, the report.
"""
