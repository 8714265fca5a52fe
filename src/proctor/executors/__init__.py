"""Where the jobs of a class run: this machine's processes, or a Dask cluster's.

Chosen by ``proctor grade``; each gives `proctor.grading` a ``concurrent.futures.Executor``.
"""
