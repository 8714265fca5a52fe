"""The class as a page, tables and pictures: ``proctor report``.

Reads only: scores, items and what is still to do come from `proctor.course`. `gather` puts one row a student together,
`statistics` looks at the tests, and `write`, which `proctor.cli.report` calls, writes it down: `page`, `tables`,
`pictures`. How the page looks is in ``templates/report``.
"""
