"""The notebook that a student meant, made of the one that was handed in: pure, deterministic, bounded in time.

Called before a submission is graded, by the plug-ins of nbgrader's pipeline and by the check of what was handed in.
"""
