"""The class as a page, tables and pictures: ``proctor report``.

Reads only: scores from nbgrader's gradebook (`gradebook`), items from the graded notebooks and what is still to do from
the course's folders (`folders`). `gather` puts one row a student together, `statistics` looks at the tests, and `write`
writes it down: `page`, `tables`, `pictures`. `command` is what the command line calls.
"""
