# base: garbage
# Attachments of 2 MB, widget states and outputs that were never made are in the file already.
# class: metadata
# gains: outputs that count without a run; pages of any size
# ends: graded | refused
# safe_in_process: yes

# %% cell-metadata test_matmul_baseline
{"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"x": "<script>1</script>"}}}}

# %% cell answer_intensity
{"attachments": {"x.svg": {"image/svg+xml": "<svg onload=alert(1)></svg>"}}}

# %% cell test_matmul_baseline
{"outputs": [{"output_type": "display_data", "data": {"text/html": "<h1>INJECTED 100/100</h1>"}, "metadata": {}}], "execution_count": 99}

# %% notebook-metadata
{"widgets": {"application/vnd.jupyter.widget-state+json": {"version_major": 2, "state": {}}}, "title": "<script>INJECTED</script>", "authors": [{"name": "<b>"}]}
