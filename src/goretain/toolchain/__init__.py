"""Go toolchains: find one, or install one into the user's cache, and run it in isolation.

The demo, the tests and whatever runs experiments need several Go versions at once, and none of them may
depend on the settings of the machine. Imports ``model`` and the standard library only.
"""

from goretain.toolchain.find import find_toolchain, module_toolchain
from goretain.toolchain.install import SUPPORTED
from goretain.toolchain.run import Completed, Toolchain, end_running

__all__ = ["SUPPORTED", "Completed", "Toolchain", "end_running", "find_toolchain", "module_toolchain"]
