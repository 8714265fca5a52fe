"""When work is due, when it was handed in, and what being late costs.

Used by collecting (times that a platform knows), by grading (extensions, the rule for late work) and by feedback.
"""
