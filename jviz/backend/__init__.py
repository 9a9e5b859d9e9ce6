"""The science and the I/O: functions and small classes on numpy and astropy objects.

Nothing in here knows a session, a command or a window.
"""
