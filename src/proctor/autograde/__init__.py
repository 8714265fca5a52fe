"""The steps of nbgrader's Autograde that are ours, in the order in which a submission meets them.

`restore` puts it in order, `metadata` checks it, `execute` runs and judges it, `defuse` makes it harmless for
formgrader. `proctor.plugins.configure` puts them into nbgrader's lists.
"""
