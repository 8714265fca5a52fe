"""What was downloaded from a learning platform becomes ``submitted/``: nbgrader's plug-ins for ``zip_collect``.

The archives hold names and bytes that students chose. nbgrader loads `proctor.collect.extractor`, then
`proctor.collect.collector`, by the names that the course's configuration has for them.
"""
