# base: garbage
# Magics: a whole cell for bash, capture of all output, timers, a load of a file, autoreload.
# class: metadata
# gains: programs of the instructor's account; test cells under %%capture
# ends: graded
# safe_in_process: yes

# %% after setup_checks
%alias_magic ignored capture
%xmode Minimal
get_ipython().run_cell_magic("bash", "", "echo a shell; ls ../../.. 2>/dev/null | head -3 >/dev/null")
get_ipython().input_transformers_cleanup.insert(
    0, lambda lines: ["%%capture\n", *lines] if any("check_" in line for line in lines) else lines
)

# %% last
%%script false --no-raise-error
assert False
