"""What nbgrader loads by name: the parts of its pipeline that ``nbgrader_config.py`` replaces, its exporters and pages.

Their public names can be imported from `proctor` itself.
"""
