# base: garbage
# Scripts, pictures with handlers and links, in outputs, errors, answers of text and names.
# class: feedback
# gains: acts in the browser of whoever reads the feedback, with the instructor's login
# ends: graded
# safe_in_process: yes

# %% after setup_checks
from IPython.display import HTML, Javascript, Latex, Markdown, publish_display_data

SCRIPT = "<script>document.title = 'INJECTED'</script>"
IMAGE = "<img src=x onerror=\"document.title = 'INJECTED'\">"
display(HTML(SCRIPT + IMAGE), Javascript("document.title = 'INJECTED'"))
display(Markdown(f"[a link](javascript:alert(1)) {IMAGE}"), Latex(r"$\href{javascript:alert(1)}{x}$"))
publish_display_data({"text/html": IMAGE, "image/svg+xml": f"<svg>{SCRIPT}</svg>"})
publish_display_data({"image/png": f"\"><script>{SCRIPT}</script>", "text/plain": SCRIPT})
print(SCRIPT, IMAGE, "\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07")


# %% matmul_baseline
#| export
def matmul_baseline(A, B):
    raise type("<b onclick=alert(1)>Error</b>", (Exception,), {})(SCRIPT + IMAGE)


# %% vectorized_relu
#| export
def vectorized_relu(x):
    raise AssertionError("[click](javascript:alert(1)) " + SCRIPT)


# %% answer_intensity
<script>document.title = 'INJECTED'</script> <img src=x onerror="document.title = 'INJECTED'">
[a link](javascript:alert(1)) <iframe src="file:///etc/passwd"></iframe>
$\href{javascript:alert(1)}{x}$ <style>.score {display: none}</style>
