"""What grading comes to, as plain data: no prose that a program would have to read again.

Made by `proctor.hidden_tests.session` and `proctor.notebook`; put into words by `proctor.render`.
"""
