"""Other people's archives: what is in them, which names in them are taken, and how much may be unpacked.

Used by `proctor.collect`, which decides what becomes of it.
"""
