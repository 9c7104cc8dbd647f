# base: garbage
# The submissions of others are looked for and printed.
# class: reading
# gains: others' answers
# ends: graded
# safe_in_process: yes

# %% use course

# %% last
from pathlib import Path

course = find_course()
places = [Path.cwd().parent, Path.cwd().parent.parent, Path("/tmp"), Path("/dev/shm")]
if course is not None:
    places = [course / "submitted", course / "autograded", course / "feedback"]
for place in places:
    for found in list(place.glob("*/*/kernels_dev*"))[:5]:
        print("LOOT", found, found.read_text()[:200])
