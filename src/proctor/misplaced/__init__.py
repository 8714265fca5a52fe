"""A notebook that was not handed in where nbgrader looks: put there where it is beyond doubt which file it is.

Called by ``proctor grade`` before a class is planned, and by nbgrader's Autograde before it reads a submission.
"""
