"""The ``proctor`` command: one module a subcommand, with its options, progress and exit status.

How anything is done is the other packages' business.
"""
