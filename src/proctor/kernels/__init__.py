"""Jupyter kernels forked, ready and sandboxed, from one process that has everything imported.

`proctor.autograde.execute` asks for one for each student. The warm process executes this file: it imports nothing.
"""
