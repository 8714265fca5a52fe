"""The pytest files of a test cell become a verdict.

Called by `proctor.notebook` when a class is graded, and by the line in a source notebook that runs them in place.
"""
