"""The two ends of a call into a student's process, and what travels between them.

Hidden tests hold a `submission`; `probe` answers in the student's process; both speak `wire`'s plain, bounded data.
Used by `proctor.hidden_tests` and `proctor.notebook`.
"""
