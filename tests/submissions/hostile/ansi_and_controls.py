# base: garbage
# Terminal sequences, NULs, lone surrogates and direction marks in outputs, errors and answers.
# class: feedback
# gains: a log or a page that shows something else than what is there
# ends: graded
# safe_in_process: yes

# %% after setup_checks
import sys

print("\x1b[2J\x1b[H\x1b]0;INJECTED\x07\x1b[8mhidden\x1b[0m\x00\x08\x08\r\u202eevil\u202c")
sys.stdout.write("\ud800\udfff\ufffe\n" * 3)
sys.stderr.write("\x1b[31m" * 1000)


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    raise ValueError("\x1b[2J\x00\ud800\u202e" * 50)


# %% answer_intensity
‮evil‬ passed: 100 of 100 points
