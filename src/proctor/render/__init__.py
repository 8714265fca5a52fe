"""Results in words, for people and for other programs: HTML, text, JSON, tables. Sentences about results are made here.

Called by everything that shows something; it decides nothing. What a command or a refusal says stands where it arises.
"""
