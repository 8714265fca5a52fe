"""Results in words, for people and for other programs: HTML, text, JSON, tables. All sentences are made here.

Called by everything that shows something; it decides nothing.
"""
