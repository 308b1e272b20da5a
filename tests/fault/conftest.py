"""The fixtures of the end-to-end tests, for a program that is built with named fault points."""

import importlib.util
import sys
from pathlib import Path

E2E = Path(__file__).resolve().parents[1] / "e2e"
sys.path[:0] = [str(E2E), str(E2E.parent)]

spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
e2e_conftest = importlib.util.module_from_spec(spec)
sys.modules["e2e_conftest"] = e2e_conftest
spec.loader.exec_module(e2e_conftest)
globals().update({name: value for name, value in vars(e2e_conftest).items() if not name.startswith("__")})
