# base: garbage
# Mocks stand in sys.modules for the lab's modules before the setup imports them.
# class: imports
# gains: full marks: every check is a mock
# ends: graded
# safe_in_process: yes

# %% before setup_checks
import sys
from unittest.mock import MagicMock

for name in ("clock", "expect", "mechanism"):
    sys.modules[f"tinytorch.lab.{name}"] = MagicMock()
