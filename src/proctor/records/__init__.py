"""What is recorded of a course: nbgrader's gradebook, what was graded, what is remembered of it.

`gradebook` asks nbgrader's database, which `database` makes fit for many writers; `graded` reads a student's folders;
`memory` keeps results from one run to the next. Grading, the report and the exports ask here.
"""
