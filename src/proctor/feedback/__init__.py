"""The page that a student gets back: what it says, and of which notebook.

`page` puts it together from `exercise` (a score, its items, each message once) and `cell` (a cell of the student's,
harmless and bounded); `sentences` has what it says of the submission itself. `proctor.plugins.feedback` calls it; how
the page looks is in ``templates/feedback``.
"""
