"""Runs many tries of one lesson in forked children; it works in a grading room, without the course.

trial_workers.py starts `serving` in a room, under the plain name `trial_room`. Only the standard
library and IPython are imported here, and these modules import each other by relative names: the
course is not to be found in a room.
"""
