"""What nbgrader loads by name beside the steps of its Autograde: its configuration, exporters, pages, late penalties.

Their public names can be imported from `proctor` itself.
"""
