# base: garbage
# The notebook names another language's kernel, and one that starts a program.
# class: metadata
# gains: a program of its choice as the kernel, or an end of the whole batch
# ends: graded
# safe_in_process: yes

# %% notebook-metadata
{"kernelspec": {"name": "../../../tmp/evil", "display_name": "R", "language": "R", "argv": ["/bin/true"]}, "language_info": {"name": "bash", "file_extension": ".sh"}}
